package body

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func of(text string, limit int64) *Body {
	r := httptest.NewRequest(http.MethodPost, "/", io.NopCloser(strings.NewReader(text))) // Of unknown length.
	return Of(httptest.NewRecorder(), r, limit)
}

func TestLimit(t *testing.T) {
	for size, want := range map[int]error{0: nil, 9: nil, 10: nil, 11: ErrTooLarge, 100000: ErrTooLarge} {
		b := of(strings.Repeat("x", size), 10)
		got, err := io.ReadAll(b)
		if !errors.Is(err, want) || !errors.Is(b.Err(), want) || want == nil && len(got) != size || len(got) > 10 {
			t.Errorf("%d bytes: got %d, %v, %v; want %v", size, len(got), err, b.Err(), want)
		}
	}
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader("longer than it may be"))
	if b := Of(httptest.NewRecorder(), r, 10); !errors.Is(b.Err(), ErrTooLarge) {
		t.Errorf("a declared length is known before the first Read: %v", b.Err())
	}
}

func TestHeadIsRemembered(t *testing.T) {
	text := strings.Repeat("0123456789", HeadBytes/5)
	read, ahead, unread := of(text, 1<<20), of(text, 1<<20), of(text, 1<<20)
	if got, err := io.ReadAll(read); err != nil || string(got) != text {
		t.Fatalf("read %d of %d, %v", len(got), len(text), err)
	}
	if _, _, err := ahead.Prefetch(1 << 20); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		body *Body
		want int
	}{
		"after reading": {read, keptBytes}, "after reading ahead": {ahead, HeadBytes}, "instead of reading": {unread, HeadBytes},
	} {
		for range 2 {
			if got := c.body.Head(); string(got) != text[:c.want] {
				t.Errorf("%s: got %d bytes", name, len(got))
			}
		}
	}
	if _, err := unread.Read(make([]byte, 1)); err == nil || errors.Is(err, io.EOF) {
		t.Errorf("a body whose beginning was taken away can still be read: %v", err)
	}
}

func TestPrefetch(t *testing.T) {
	for _, c := range []struct {
		size, longest int
		whole         bool
		err           error
	}{
		{0, 10, true, nil}, {9, 10, true, nil}, {10, 10, true, nil}, {11, 10, false, nil}, {50, 10, false, nil},
		{100, 100, true, nil}, {101, 1000, false, ErrTooLarge},
	} {
		text := strings.Repeat("0123456789a", 10)[:c.size]
		b := of(text, 100)
		ahead, whole, err := b.Prefetch(int64(c.longest))
		if whole != c.whole || !errors.Is(err, c.err) || !errors.Is(b.Err(), c.err) || !strings.HasPrefix(text, string(ahead)) || whole && string(ahead) != text {
			t.Errorf("%d of at most %d: got %q, %t, %v", c.size, c.longest, ahead, whole, err)
		}
		if again, err := io.ReadAll(b); c.err == nil && (string(again) != text || err != nil) {
			t.Errorf("%d of at most %d: then read %q, %v", c.size, c.longest, again, err)
		}
		if c.err == nil && string(b.Head()) != text[:min(c.size, c.longest+1)] {
			t.Errorf("%d of at most %d: head %q", c.size, c.longest, b.Head())
		}
	}
}

func TestNothingIsReadAfterClose(t *testing.T) {
	b := of("x", 10)
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if n, err := b.Read(make([]byte, 1)); n != 0 || err == nil || errors.Is(err, io.EOF) {
		t.Errorf("got %d, %v", n, err)
	}
}

// Whoever waits for "100 Continue" must not be told to go on only to be refused.
func TestWaitingClientIsNotAskedToSend(t *testing.T) {
	source := &countingReader{}
	r := httptest.NewRequest(http.MethodPost, "/", source)
	r.Header.Set("Expect", "100-continue")
	b := Of(httptest.NewRecorder(), r, 10)
	b.Head()
	b.Drain()
	if source.reads != 0 {
		t.Errorf("the body was read %d times", source.reads)
	}
}

type countingReader struct{ reads int }

func (c *countingReader) Read([]byte) (int, error) {
	c.reads++
	return 0, io.EOF
}

// wrapped is a writer in another one, as the gate's handlers have them.
type wrapped struct{ http.ResponseWriter }

func (w wrapped) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// What follows a body whose end was not seen must not be read as a request, nor may its sender keep the connection for
// as long as it likes.
func TestConnectionEndsWithAnUnfinishedBody(t *testing.T) {
	const next = "POST /smuggled HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"
	for name, request := range map[string]string{
		"never ends":                     "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\nhalf",
		"never begins":                   "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n",
		"framing is broken":              "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n" + next,
		"the client waits to be told to": "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\nExpect: 100-continue\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/smuggled" {
					t.Error("the rest was read as a request")
				}
				_ = http.NewResponseController(w).EnableFullDuplex()
				b := Of(wrapped{wrapped{w}}, r, 1<<20)
				b.giveUp = 20 * time.Millisecond
				b.Head()
				_, _ = io.WriteString(w, "no")
				_ = http.NewResponseController(w).Flush()
				b.Drain()
			}))
			defer server.Close()
			conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", server.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
				t.Fatal(err)
			}
			if _, err := io.WriteString(conn, request); err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(conn)
			if err != nil || !strings.HasPrefix(string(got), "HTTP/1.1 200 OK") || strings.Count(string(got), "HTTP/1.1") != 1 {
				t.Errorf("got %q, %v; want one answer, and the end of the connection", got, err)
			}
		})
	}
}

// What was read, looked at or thrown away counts alike.
func TestBytesThatCame(t *testing.T) {
	for name, take := range map[string]func(*Body){
		"read":        func(b *Body) { _, _ = io.ReadAll(b) },
		"looked at":   func(b *Body) { b.Head() },
		"thrown away": func(b *Body) { b.Drain() },
		"in turn":     func(b *Body) { _, _ = b.Read(make([]byte, 3)); b.Head(); b.Drain() },
	} {
		w := httptest.NewRecorder()
		b := Of(w, httptest.NewRequest(http.MethodPost, "/", strings.NewReader("0123456789")), 100)
		if take(b); b.Bytes() != 10 {
			t.Errorf("%s: %d bytes", name, b.Bytes())
		}
	}
}
