package connection

import (
	"bytes"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// sentAhead is a connection whose client has sent all its requests, and takes every answer at once. It makes no system call:
// a thread that waits for its processor in one would look like a connection that waits for its turn.
type sentAhead struct {
	net.Conn // its methods that are not here are not called

	name     net.Addr
	mu       sync.Mutex
	requests *bytes.Reader
}

func (c *sentAhead) Read(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.requests.Read(p)
}

func (*sentAhead) Write(p []byte) (int, error)      { return len(p), nil }
func (*sentAhead) Close() error                     { return nil }
func (c *sentAhead) RemoteAddr() net.Addr           { return c.name }
func (c *sentAhead) LocalAddr() net.Addr            { return c.name }
func (*sentAhead) SetDeadline(time.Time) error      { return nil }
func (*sentAhead) SetReadDeadline(time.Time) error  { return nil }
func (*sentAhead) SetWriteDeadline(time.Time) error { return nil }

// waiting is a listener with these connections.
type waiting chan net.Conn

func (w waiting) Accept() (net.Conn, error) {
	if conn, open := <-w; open {
		return conn, nil
	}
	return nil, net.ErrClosed
}

func (waiting) Close() error   { return nil }
func (waiting) Addr() net.Addr { return &net.UnixAddr{} }

// Both connections have all their requests sent before the first is answered. Without a rule they take turns each time slice of
// the scheduler, which is hundreds of requests.
func TestConnectionsWithRequestsWaiting_TakeTurnsByRequest(t *testing.T) {
	const requests, most = 80, 20
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	var (
		mu       sync.Mutex
		order    []string
		answered sync.WaitGroup
		seen     = map[string]bool{}
		both     = make(chan struct{})
	)
	answered.Add(2 * requests)
	pool := New(10, func() {})
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		defer answered.Done()
		conn := Of(r)
		conn.Begin()
		defer conn.End(false)
		mu.Lock()
		order = append(order, r.RemoteAddr)
		if !seen[r.RemoteAddr] {
			if seen[r.RemoteAddr] = true; len(seen) == 2 {
				close(both)
			}
		}
		mu.Unlock()
		<-both // A connection that is accepted first has nobody to take turns with.
	})}
	pool.Serve(server)
	listener := make(waiting, 2)
	for _, name := range []string{"first", "second"} {
		sent := strings.Repeat("GET / HTTP/1.1\r\nHost: x\r\n\r\n", requests)
		listener <- &sentAhead{name: &net.UnixAddr{Name: name}, requests: bytes.NewReader([]byte(sent))}
	}
	close(listener)
	go func() { _ = server.Serve(listener) }()
	defer server.Close()
	answered.Wait()
	longest, run, handled := 0, 0, map[string]int{}
	for i, who := range order {
		if i > 0 && who != order[i-1] {
			run = 0
		}
		run++
		longest = max(longest, run)
		if handled[who]++; handled[who] == requests {
			break // The other one has nobody to take turns with.
		}
	}
	if longest > most {
		t.Errorf("one connection had %d requests handled in a row", longest)
	}
}
