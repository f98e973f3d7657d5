package connection

import (
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// Both connections have all their requests sent before the first is answered. Without a rule they take turns each time slice of
// the scheduler, which is hundreds of requests.
func TestConnectionsWithRequestsWaiting_TakeTurnsByRequest(t *testing.T) {
	const requests, most = 500, 20
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	var (
		mu       sync.Mutex
		order    []string
		answered sync.WaitGroup
	)
	answered.Add(2 * requests)
	pool := New(10, func() {})
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		defer answered.Done()
		conn := Of(r)
		conn.Begin()
		defer conn.End(false)
		mu.Lock()
		defer mu.Unlock()
		order = append(order, r.RemoteAddr)
	})}
	pool.Serve(server)
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // The kernel takes them in before anybody accepts.
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := io.WriteString(conn, strings.Repeat("GET / HTTP/1.1\r\nHost: x\r\n\r\n", requests)); err != nil {
			t.Fatal(err)
		}
		go func() { _, _ = io.Copy(io.Discard, conn) }()
	}
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
