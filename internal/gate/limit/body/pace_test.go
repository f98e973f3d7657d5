package body

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// slowBody serves one request whose body may take grace, and returns a connection to its sender and what came of it.
func slowBody(t *testing.T, grace time.Duration) (sender net.Conn, result chan error) {
	t.Helper()
	result = make(chan error, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b := Of(w, r, 1<<20)
		b.grace = grace
		_, _ = io.ReadAll(b)
		result <- b.Err()
	}))
	t.Cleanup(server.Close)
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if _, err := io.WriteString(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	return conn, result
}

func TestBodyThatPauses_IsTooSlow(t *testing.T) {
	conn, result := slowBody(t, 20*time.Millisecond)
	_, _ = io.WriteString(conn, "half")
	if err := <-result; !errors.Is(err, ErrSlow) {
		t.Errorf("got %v", err)
	}
}

// One byte now and then must not keep a request alive: JSON allows any amount of white space.
func TestBodyThatTrickles_IsTooSlow(t *testing.T) {
	conn, result := slowBody(t, 200*time.Millisecond)
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	limit := time.After(10 * time.Second)
	for {
		select {
		case err := <-result:
			if !errors.Is(err, ErrSlow) {
				t.Errorf("got %v", err)
			}
			return
		case <-ticker.C:
			_, _ = io.WriteString(conn, " ")
		case <-limit:
			t.Fatal("the body still comes")
		}
	}
}

// The time that a server takes before it reads on is not the client's.
func TestServerThatReadsSlowly_DoesNotCostTheClientItsTime(t *testing.T) {
	b := of("two reads", 100)
	b.grace = time.Minute
	if _, err := b.Read(make([]byte, 3)); err != nil {
		t.Fatal(err)
	}
	before := b.patience()
	b.waited += 20 * time.Second // as if the client had taken them
	if got := before - b.patience(); got != 20*time.Second {
		t.Errorf("what the client takes counts %s, want 20s", got)
	}
	b.read += 2 * LeastPace
	if got := before - b.patience(); got != 18*time.Second {
		t.Errorf("what has come buys %s, want 2s", 20*time.Second-got)
	}
}
