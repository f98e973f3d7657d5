package gate_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gate"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

// stream opens an event stream with this token; the caller closes it.
func (s *site) stream(method, bearer string, accept ...string) *http.Response {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	s.t.Cleanup(cancel)
	r := s.request(method, "/mcp", bearer, strings.NewReader(ping)).WithContext(ctx)
	r.Header["Accept"] = accept
	response, err := http.DefaultClient.Do(r)
	must(s.t, err)
	s.t.Cleanup(func() { response.Body.Close() })
	return response
}

// wantEnd reads the stream to its end, which must be seen to be one.
func wantEnd(t *testing.T, response *http.Response, want string) {
	t.Helper()
	rest, err := io.ReadAll(response.Body)
	if string(rest) != want || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %q, %v; want %q and an end that is seen to be one", rest, err, want)
	}
}

// The promise is five seconds; the files are read every second, and here more often.
func TestStreamOfARemovedKeyEnds(t *testing.T) {
	s := newSite(t, serveHTTP(t, streamer(sseEvent)))
	gone, staying := s.template.Key, newKey(t)
	s.writeKeys(gone.Public(), staying.Public())
	removed := s.stream(http.MethodGet, s.token())
	s.template.Key = staying
	var kept *http.Response
	s.eventually("the second key opens", func() bool {
		kept = s.stream(http.MethodPost, s.token())
		return kept.StatusCode == 200
	})
	s.eventually("both streams are counted", func() bool { return strings.Contains(s.adminGet("/metrics").body, "gatehouse_gate_streams_open 2") })
	began := time.Now()
	s.writeKeys(staying.Public())
	wantEnd(t, removed, sseEvent+": the access token is no longer accepted\n")
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
	s.eventually("the other one stays", func() bool { return strings.Contains(s.adminGet("/metrics").body, "gatehouse_gate_streams_open 1") })
	if _, err := io.ReadFull(kept.Body, make([]byte, len(sseEvent))); err != nil {
		t.Errorf("the other stream: %v", err)
	}
}

func TestStreamOfARevokedTokenEnds(t *testing.T) {
	s := newSite(t, serveHTTP(t, streamer(sseEvent)))
	revoked, kept := s.stream(http.MethodGet, s.as("alice")), s.stream(http.MethodGet, s.as("bob"))
	s.write(s.dirs.keys, gateapi.RevokedFile, []byte("sub:alice\n"))
	wantEnd(t, revoked, sseEvent+": the access token is no longer accepted\n")
	if got := s.post(s.as("alice")); got.Error.Data.Reason != "revoked" {
		t.Errorf("a new request gets %d %s", got.status, got.body)
	}
	if _, err := io.ReadFull(kept.Body, make([]byte, len(sseEvent))); err != nil {
		t.Errorf("the other caller's stream: %v", err)
	}
}

// What the messages of open streams ask is judged by the rules of today; what nobody has read cannot be.
func TestStreamsEndByNewRules(t *testing.T) {
	s := newSite(t, serveHTTP(t, streamer(sseEvent)))
	unread, listening := s.stream(http.MethodPost, s.token()), s.stream(http.MethodGet, s.token())
	allowing := gateapi.Rule{Methods: []string{"ping"}}
	s.config.Authorization.Rules = []gateapi.Rule{allowing}
	s.writeConfig()
	wantEnd(t, unread, sseEvent+": the access token is no longer accepted\n")
	judged := s.stream(http.MethodPost, s.token())
	allowing.Scopes = []string{"admin"}
	s.config.Authorization.Rules = []gateapi.Rule{allowing}
	s.writeConfig()
	wantEnd(t, judged, sseEvent+": the access token is no longer accepted\n")
	if _, err := io.ReadFull(listening.Body, make([]byte, len(sseEvent))); err != nil {
		t.Errorf("a stream that asks nothing: %v", err)
	}
}

func TestStreamEndsAtItsLongest(t *testing.T) {
	s := prepareSite(t, serveHTTP(t, streamer(sseEvent)))
	s.config.Limits.StreamMaxSeconds = 1
	s.writeConfig()
	s.start()
	wantEnd(t, s.stream(http.MethodGet, s.token()), sseEvent+": the stream has been open for as long as streams may be: open another\n")
}

func TestStreamsPerCaller(t *testing.T) {
	const events = "text/event-stream"
	reached := make(chan struct{}, 100)
	s := prepareSite(t, serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		reached <- struct{}{}
		if r.Header.Get("Test-Answer") == "json" {
			echo(w, r)
			return
		}
		streamer(sseEvent)(w, r)
	}))
	s.config.Limits.Streams = 2
	s.writeConfig()
	s.start()
	s.stream(http.MethodGet, s.as("alice"), events)
	second := s.stream(http.MethodPost, s.as("alice"), "application/json, "+events)
	before := len(reached)
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		got := s.in("", method, s.as("alice"), "Accept", "application/json", "Accept", events)
		if got.status != http.StatusTooManyRequests || got.Error.Data.Reason != "too_many_streams" || got.header.Get("Retry-After") == "" {
			t.Errorf("%s gets %d %s", method, got.status, got.body)
		}
	}
	if len(reached) != before {
		t.Error("the server was asked for a stream that nobody may have")
	}
	// Whether this becomes a stream is for the server to say.
	if got := s.in("", http.MethodPost, s.as("alice"), "Test-Answer", "json"); got.status != 200 {
		t.Errorf("a request that wants no stream gets %d", got.status)
	}
	if got := s.in("", http.MethodPost, s.as("alice")); got.status != http.StatusTooManyRequests || got.Error.Data.Reason != "too_many_streams" {
		t.Errorf("a stream that nobody had asked for gets %d", got.status)
	}
	if got := s.stream(http.MethodGet, s.as("bob"), events); got.StatusCode != 200 {
		t.Errorf("another caller gets %d", got.StatusCode)
	}
	second.Body.Close()
	s.eventually("there is room again", func() bool { return s.stream(http.MethodGet, s.as("alice"), events).StatusCode == 200 })
}

// floodHandler writes until nobody takes it; left is closed when the gate has let go of the server.
func floodHandler(contentType string, sent *atomic.Int64, left chan<- struct{}) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		defer close(left)
		w.Header().Set("Content-Type", contentType)
		for r.Context().Err() == nil {
			if _, err := io.WriteString(w, strings.Repeat(": no news\n", 1000)); err != nil {
				return
			}
			_ = http.NewResponseController(w).Flush()
			sent.Add(1)
		}
	}
}

// stopReading sends a request, reads the beginning of the answer and nothing more.
func (s *site) stopReading(bearer string) net.Conn {
	s.t.Helper()
	conn, err := new(net.Dialer).DialContext(s.t.Context(), "tcp", s.clients)
	must(s.t, err)
	s.t.Cleanup(func() { conn.Close() })
	must(s.t, conn.SetDeadline(time.Now().Add(patience)))
	sendText(conn, "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nAuthorization: Bearer "+bearer+"\r\n\r\n")
	_, err = io.ReadFull(conn, make([]byte, len("HTTP/1.1 200 OK")))
	must(s.t, err)
	return conn
}

func wantLeft(t *testing.T, left <-chan struct{}) {
	t.Helper()
	select {
	case <-left:
	case <-time.After(patience):
		t.Fatal("the server's connection is still held")
	}
}

func patient(writing time.Duration) siteOption {
	return func(_ *site, o *gate.Options) { o.WritePatience = writing }
}

func TestClientThatStopsReadingIsCut(t *testing.T) {
	for _, contentType := range []string{"text/event-stream", "application/json"} {
		t.Run(contentType, func(t *testing.T) {
			left := make(chan struct{})
			s := newSite(t, serveHTTP(t, floodHandler(contentType, new(atomic.Int64), left)), patient(300*time.Millisecond))
			conn := s.stopReading(s.token())
			wantLeft(t, left)
			if rest, err := io.ReadAll(conn); strings.HasSuffix(string(rest), "\r\n0\r\n\r\n") {
				t.Errorf("the answer looks complete, %v", err)
			}
			if strings.Contains(s.adminGet("/metrics").body, "upstream_failures_total{") {
				t.Error("the client's fault was counted as the server's")
			}
		})
	}
}

// Who has stopped reading must not keep a stream for a minute that should be gone in five seconds.
func TestStreamOfARemovedKeyEndsAlsoForWhoDoesNotRead(t *testing.T) {
	var sent atomic.Int64
	left := make(chan struct{})
	s := newSite(t, serveHTTP(t, floodHandler("text/event-stream", &sent, left)), patient(time.Hour))
	s.stopReading(s.token())
	// Only a write that waits shows what is meant; if it does not wait yet, the test is easier to pass, no more.
	before, still := int64(0), 0
	s.eventually("all buffers are full", func() bool {
		if now := sent.Load(); now != before {
			before, still = now, 0
		}
		still++
		return before > 0 && still > 50
	})
	s.writeKeys(newKey(t).Public())
	wantLeft(t, left)
	s.eventually("the stream is gone", func() bool { return strings.Contains(s.adminGet("/metrics").body, "gatehouse_gate_streams_open 0") })
}

const (
	keepAlive = ": keep-alive\n"
	shortly   = 100 * time.Millisecond
)

// large is more than net/http gathers before it writes.
var large = "data: " + strings.Repeat("x", 8<<10) + "\n\n"

// pausing writes with pauses that are longer than a client may leave what it is sent unread, also before the end.
func pausing(w http.ResponseWriter, r *http.Request) {
	for _, text := range []string{keepAlive, sseEvent, large} {
		w.Header().Set("Content-Type", "text/event-stream")
		w.Header().Set("X-Accel-Buffering", "no")
		_, _ = io.WriteString(w, text)
		_ = http.NewResponseController(w).Flush()
		select {
		case <-time.After(3 * shortly):
		case <-r.Context().Done():
		}
	}
}

func wantAll(t *testing.T, response *http.Response) {
	t.Helper()
	got, err := io.ReadAll(response.Body)
	if err != nil || string(got) != keepAlive+sseEvent+large || response.Header.Get("X-Accel-Buffering") != "no" {
		t.Errorf("got %q, %v, %v", got, response.Header, err)
	}
}

// An answer may pause for as long as it likes, and the connection is good for another.
func TestPausesOfTheServerAreNotTheClients(t *testing.T) {
	s := newSite(t, serveHTTP(t, pausing), patient(shortly))
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", s.clients)
	must(t, err)
	defer conn.Close()
	must(t, conn.SetDeadline(time.Now().Add(patience)))
	reader := bufio.NewReader(conn)
	for range 2 {
		sendText(conn, "GET /mcp HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer "+s.token()+"\r\n\r\n")
		response, err := http.ReadResponse(reader, nil)
		must(t, err)
		wantAll(t, response)
		response.Body.Close()
	}
}

// With HTTP/2 a deadline that passes ends an answer also when nobody waits for it.
func TestPausesOverHTTP2(t *testing.T) {
	s, client := http2Site(t, pausing, patient(shortly))
	response, err := client.Do(s.secure(http.MethodGet, s.token(), nil))
	must(t, err)
	defer response.Body.Close()
	wantAll(t, response)
}

func TestClientThatStopsReadingIsCutOverHTTP2(t *testing.T) {
	left := make(chan struct{})
	s, client := http2Site(t, floodHandler("text/event-stream", new(atomic.Int64), left), patient(shortly))
	response, err := client.Do(s.secure(http.MethodGet, s.token(), nil))
	must(t, err)
	defer response.Body.Close()
	wantLeft(t, left)
}
