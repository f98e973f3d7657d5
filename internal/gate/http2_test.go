package gate_test

import (
	"bufio"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

// http2Site serves handler behind a gate that speaks HTTP/2.
func http2Site(t *testing.T, handler http.HandlerFunc, options ...siteOption) (*site, *http.Client) {
	t.Helper()
	s, dir := prepareTLS(t, handler)
	roots := s.writePair(dir, "x")
	s.start(append(options, inDir(dir))...)
	return s, tlsClient(t, roots, true)
}

// The header of a stream must come before its first event, and events as they happen; a client that leaves is noticed.
func TestStreamOverHTTP2(t *testing.T) {
	events, left := make(chan string), make(chan struct{})
	s, client := http2Site(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_ = http.NewResponseController(w).Flush()
		for event := range events {
			_, _ = io.WriteString(w, "data: "+event+"\n\n")
			_ = http.NewResponseController(w).Flush()
		}
		<-r.Context().Done()
		close(left)
	})
	response, err := client.Do(s.secure(http.MethodGet, s.token(), nil))
	must(t, err)
	if response.StatusCode != 200 || response.ProtoMajor != 2 {
		t.Fatalf("got %d, HTTP/%d", response.StatusCode, response.ProtoMajor)
	}
	lines := bufio.NewReader(response.Body)
	for _, event := range []string{"one", "two"} {
		events <- event
		line, err := lines.ReadString('\n')
		if _, blank := lines.ReadString('\n'); err != nil || blank != nil || line != "data: "+event+"\n" {
			t.Fatalf("got %q, %v", line, err)
		}
	}
	close(events)
	response.Body.Close()
	select {
	case <-left:
	case <-time.After(patience):
		t.Error("the server never learned that the client has gone")
	}
}

func (s *site) streamOver(client *http.Client) *http.Response {
	s.t.Helper()
	response, err := client.Do(s.secure(http.MethodGet, s.token(), nil))
	must(s.t, err)
	s.t.Cleanup(func() { response.Body.Close() })
	return response
}

// A stream may be quiet for longer than a client may take to read.
func TestQuietStreamOverHTTP2(t *testing.T) {
	const quiet = 50 * time.Millisecond
	s, client := http2Site(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for range 3 {
			_, _ = io.WriteString(w, "data: x\n\n")
			_ = http.NewResponseController(w).Flush()
			time.Sleep(4 * quiet)
		}
	}, patient(quiet))
	if got, err := io.ReadAll(s.streamOver(client).Body); err != nil || string(got) != strings.Repeat("data: x\n\n", 3) {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestWhoStopsReadingIsCutOverHTTP2(t *testing.T) {
	ended := make(chan struct{})
	s, client := http2Site(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		event := []byte("data: " + strings.Repeat("x", 32<<10) + "\n\n")
		for r.Context().Err() == nil {
			_, _ = w.Write(event)
		}
		close(ended)
	}, patient(200*time.Millisecond))
	s.streamOver(client)
	select {
	case <-ended:
	case <-time.After(patience):
		t.Error("it still holds the server")
	}
}

func TestFullDuplexOverHTTP2(t *testing.T) {
	s, client := http2Site(t, func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).EnableFullDuplex()
		_ = http.NewResponseController(w).Flush()
		buffer := make([]byte, 1)
		for {
			if _, err := r.Body.Read(buffer); err != nil {
				return
			}
			_, _ = w.Write(buffer)
			_ = http.NewResponseController(w).Flush()
		}
	})
	body, send := io.Pipe()
	response, err := client.Do(s.secure(http.MethodPost, s.token(), body))
	must(t, err)
	defer response.Body.Close()
	for _, letter := range []string{"a", "b", "c"} {
		_, err := io.WriteString(send, letter)
		must(t, err)
		got := make([]byte, 1)
		if _, err := io.ReadFull(response.Body, got); err != nil || string(got) != letter {
			t.Fatalf("sent %s, got %s, %v", letter, got, err)
		}
	}
	must(t, send.Close())
	if rest, err := io.ReadAll(response.Body); err != nil || len(rest) != 0 {
		t.Errorf("got %q, %v", rest, err)
	}
}

func TestBrokenAnswerOverHTTP2IsSeenAsBroken(t *testing.T) {
	s, client := http2Site(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "begun")
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	})
	response, err := client.Do(s.secure(http.MethodPost, s.token(), strings.NewReader(ping)))
	must(t, err)
	defer response.Body.Close()
	if body, err := io.ReadAll(response.Body); err == nil {
		t.Errorf("%q looks complete", body)
	}
}

// frame writes an HTTP/2 frame (RFC 9113 section 4.1).
func frame(kind, flags byte, stream uint32, payload []byte) []byte {
	head := make([]byte, 9, 9+len(payload))
	binary.BigEndian.PutUint32(head, uint32(len(payload))<<8)
	head[3], head[4] = kind, flags
	binary.BigEndian.PutUint32(head[5:], stream)
	return append(head, payload...)
}

const (
	headersFrame, resetFrame, settingsFrame, continuationFrame = 1, 3, 4, 9
	endStream, endHeaders                                      = 1, 4
)

// flood sends frames until the gate closes the connection, or enough has been sent.
func (s *site) flood(enough int, next func(i int) []byte) (sent int, closed bool) {
	s.t.Helper()
	config := &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}}
	conn, err := (&tls.Dialer{Config: config}).DialContext(s.t.Context(), "tcp", s.clients)
	must(s.t, err)
	defer conn.Close()
	must(s.t, conn.SetDeadline(time.Now().Add(patience)))
	go io.Copy(io.Discard, conn) //nolint:errcheck // What the gate says is not the point.
	opening := append([]byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), frame(settingsFrame, 0, 0, nil)...)
	_, err = conn.Write(opening)
	for i := 0; err == nil && sent < enough; i++ {
		n := 0
		n, err = conn.Write(next(i))
		sent += n
	}
	return sent, err != nil && !errors.Is(err, os.ErrDeadlineExceeded)
}

// Who opens streams only to reset them, or sends a header that never ends, loses the connection; others notice nothing.
func TestFloodsOverHTTP2(t *testing.T) {
	s, client := http2Site(t, echo)
	// In HPACK's static table: POST, https, "/"; then authority "localhost".
	request := append([]byte{0x83, 0x87, 0x84, 0x41, 9}, "localhost"...)
	const enough = 64 << 20
	sent, closed := s.flood(enough, func(i int) []byte {
		stream := uint32(2*i + 1)
		return append(frame(headersFrame, endStream|endHeaders, stream, request), frame(resetFrame, 0, stream, []byte{0, 0, 0, 8})...)
	})
	if !closed {
		t.Errorf("rapid reset: %d bytes were taken", sent)
	}
	sent, closed = s.flood(enough, func(i int) []byte {
		if i == 0 {
			return frame(headersFrame, endStream, 1, request)
		}
		// A literal header, not to be remembered: "a: " and 8,000 bytes.
		header := append([]byte{0, 1, 'a', 0x7f, 0xc1, 0x3d}, strings.Repeat("x", 8000)...)
		return frame(continuationFrame, 0, 1, header)
	})
	if !closed {
		t.Errorf("endless header: %d bytes were taken", sent)
	}
	response, err := client.Do(s.secure(http.MethodPost, s.token(), strings.NewReader(ping)))
	must(t, err)
	defer response.Body.Close()
	if response.StatusCode != 200 {
		t.Errorf("afterwards: %d", response.StatusCode)
	}
}
