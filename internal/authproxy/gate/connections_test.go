package gate

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"testing"
	"time"
)

// connectionSite serves with at most two waiting connections. A request for /slow is received by taking from slow, and
// answered when that is closed.
func connectionSite(t *testing.T) (open func(first string) *bufio.ReadWriter, slow chan struct{}, closed *atomic.Int32) {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	slow, closed = make(chan struct{}), &atomic.Int32{}
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			slow <- struct{}{}
			<-slow
		}
	})}
	newConnections(2, func() { closed.Add(1) }).bound(server)
	go server.Serve(listener) //nolint:errcheck // Ends with the test.
	t.Cleanup(func() { server.Close() })
	return func(first string) *bufio.ReadWriter {
		t.Helper()
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		_ = conn.SetDeadline(time.Now().Add(time.Minute))
		_, _ = io.WriteString(conn, first)
		return bufio.NewReadWriter(bufio.NewReader(conn), bufio.NewWriter(conn))
	}, slow, closed
}

func ask(t *testing.T, conn *bufio.ReadWriter, path string) {
	t.Helper()
	_, _ = conn.WriteString("GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n")
	_ = conn.Flush()
	expect200(t, conn)
}

func expect200(t *testing.T, conn *bufio.ReadWriter) {
	t.Helper()
	response, err := http.ReadResponse(conn.Reader, nil)
	if err != nil {
		t.Errorf("no answer: %v", err)
		return
	}
	defer response.Body.Close()
	if response.StatusCode != 200 {
		t.Errorf("got %d", response.StatusCode)
	}
}

func isClosed(t *testing.T, conn *bufio.ReadWriter) {
	t.Helper()
	if _, err := conn.ReadByte(); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the connection is open: %v", err)
	}
}

func TestWhoWaitsLongestIsClosed(t *testing.T) {
	open, working, closed := connectionSite(t)
	busy := open("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
	<-working
	slow := open("GET / HT") // never a whole header
	idle := open("")
	ask(t, idle, "/")
	late := open("")
	isClosed(t, slow)
	ask(t, late, "/")
	ask(t, idle, "/") // which makes late the one that waits longest
	last := open("")
	isClosed(t, late)
	ask(t, idle, "/")
	ask(t, last, "/")
	if got := closed.Load(); got != 2 {
		t.Errorf("%d were counted", got)
	}
	close(working)
	expect200(t, busy)
}
