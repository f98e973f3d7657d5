package gate_test

import (
	"bufio"
	"fmt"
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

func withMemory(bytes int64) siteOption {
	return func(_ *site, o *gate.Options) { o.MemoryLimit = bytes }
}

// hangingSite is a site whose server holds every request until its client goes.
type hangingSite struct {
	*site

	held atomic.Int32
}

func hanging(t *testing.T, options ...siteOption) *hangingSite {
	t.Helper()
	s := &hangingSite{}
	s.site = prepareSite(t, serveHTTP(t, func(_ http.ResponseWriter, r *http.Request) {
		s.held.Add(1)
		<-r.Context().Done()
	}))
	s.config.Limits.Requests = 3
	s.writeConfig()
	s.start(options...)
	return s
}

// hold begins a request that stays in progress.
func (s *site) hold(bearer string) {
	s.t.Helper()
	conn, err := new(net.Dialer).DialContext(s.t.Context(), "tcp", s.clients)
	must(s.t, err)
	s.t.Cleanup(func() { conn.Close() })
	_, err = fmt.Fprintf(conn, "POST /mcp HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n%s", bearer, len(ping), ping)
	must(s.t, err)
}

// holds waits until the server has this many requests: the gate has counted them by then.
func (s *hangingSite) holds(want int32) {
	s.t.Helper()
	s.eventually(fmt.Sprintf("%d requests are in progress", want), func() bool { return s.held.Load() == want })
}

func TestCallerWithTooManyRequestsInProgress_Gets429(t *testing.T) {
	s := hanging(t)
	for range 3 {
		s.hold(s.as("alice"))
	}
	s.holds(3)
	got := s.post(s.as("alice"))
	if got.status != 429 || got.Error.Data.Reason != "too_many_requests" || got.header.Get("Retry-After") == "" {
		t.Errorf("one more: got %d %s", got.status, got.body)
	}
	if got := s.post(s.forged()); got.status != 401 {
		t.Errorf("a bad token of the same caller: got %d", got.status)
	}
	s.hold(s.as("bob")) // has room of its own
	s.holds(4)
}

func TestGateWithoutRoomForMoreRequests_Answers503(t *testing.T) {
	s := hanging(t, withMemory(2<<20)) // which is for four requests
	for i := range 4 {
		s.hold(s.as(fmt.Sprint("caller-", i)))
	}
	s.holds(4)
	got := s.post(s.as("one more"))
	if got.status != 503 || got.Error.Data.Reason != "overloaded" || got.header.Get("Retry-After") == "" {
		t.Errorf("got %d %s", got.status, got.body)
	}
	if got := s.post(""); got.status != 401 {
		t.Errorf("without a token: got %d", got.status)
	}
}

// Without rules a long body is not kept; with rules it is, and four of a megabyte do not fit beside their messages.
func TestCallersBodiesOverTheirPart_Get429(t *testing.T) {
	s := prepareSite(t, serveHTTP(t, echo))
	s.config.Authorization = gateapi.Authorization{Rules: []gateapi.Rule{{Methods: []string{"ping"}}}}
	s.writeConfig()
	s.start(withMemory(32 << 20)) // which is for 4 MiB of bodies, 2 MiB of one caller
	long := ping + strings.Repeat(" ", 1<<20)
	statuses := make(chan int, 4)
	for range 4 {
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", s.clients)
		must(t, err)
		t.Cleanup(func() { conn.Close() })
		_, err = fmt.Fprintf(conn, "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n%s",
			s.token(), len(long)+1, long) // and one byte never comes
		must(t, err)
		go func() {
			if response, err := http.ReadResponse(bufio.NewReader(conn), nil); err == nil {
				response.Body.Close()
				statuses <- response.StatusCode
			}
		}()
	}
	for range 2 {
		select {
		case got := <-statuses:
			if got != 429 {
				t.Errorf("got %d", got)
			}
		case <-time.After(patience):
			t.Fatal("all of them are kept")
		}
	}
}

// A body that never comes holds its connection, and only that: its client is answered, or the connection is closed.
func TestFloodOfUnfinishedRequests_KeepsNobodyOut(t *testing.T) {
	s := newSite(t, serveHTTP(t, echo), withMemory(8<<20)) // which is for 16 connections
	for sent := 1; sent <= 64; sent++ {
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", s.clients)
		must(t, err)
		t.Cleanup(func() { conn.Close() })
		_, err = io.WriteString(conn, "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n{")
		must(t, err)
		if sent%8 != 0 {
			continue
		}
		if got := s.post(s.token()); got.status != 200 {
			t.Errorf("beside %d of them: got %d %s", sent, got.status, got.body)
		}
		if got := s.scraped("gatehouse_gate_requests_in_flight"); got > 16 {
			t.Errorf("after %d of them: %v requests are in progress", sent, got)
		}
	}
}

// scraped is the value of a metric without labels.
func (s *site) scraped(name string) (value float64) {
	s.t.Helper()
	_, after, _ := strings.Cut(s.adminGet("/metrics").body, "\n"+name+" ")
	_, _ = fmt.Sscan(after, &value)
	return value
}
