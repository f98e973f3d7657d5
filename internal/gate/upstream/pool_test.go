package upstream

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

const patience = 20 * time.Second

// server answers on raw connections and counts them.
type server struct {
	address string
	dialed  atomic.Int32
}

// serve runs handle on each connection; it is closed afterwards.
func serve(t *testing.T, handle func(n int32, conn *net.TCPConn)) *server {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	s := &server{address: listener.Addr().String()}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			n := s.dialed.Add(1)
			go func() {
				defer conn.Close()
				handle(n, conn.(*net.TCPConn))
			}()
		}
	}()
	return s
}

// requests gives one element for each request that comes in whole.
func requests(conn net.Conn) func(yield func(int) bool) {
	return func(yield func(int) bool) {
		reader := bufio.NewReader(conn)
		for i := 0; ; i++ {
			r, err := http.ReadRequest(reader)
			if err != nil {
				return
			}
			_, _ = io.Copy(io.Discard, r.Body)
			if !yield(i) {
				return
			}
		}
	}
}

func answering(text string) func(int32, *net.TCPConn) {
	return func(_ int32, conn *net.TCPConn) {
		for range requests(conn) {
			_, _ = io.WriteString(conn, text)
		}
	}
}

// ask has one exchange and reads its answer to the end.
func ask(ctx context.Context, p *Pooled, s *server) (status int, text string, trail *Trail) {
	trail = &Trail{}
	response, err := p.Do(ctx, newRequest(s), trail)
	if err != nil {
		return 0, err.Error(), trail
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		return response.StatusCode, err.Error(), trail
	}
	return response.StatusCode, string(raw), trail
}

func newRequest(s *server) *http.Request {
	return &http.Request{
		Method: http.MethodPost, URL: &url.URL{Scheme: "http", Host: s.address, Path: "/mcp"}, Host: s.address, Header: http.Header{},
		Body: io.NopCloser(strings.NewReader("{}")), ContentLength: 2,
	}
}

const good = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"

// Which answers leave the connection fit for another exchange.
func TestWhatIsReused(t *testing.T) {
	for name, c := range map[string]struct {
		answer string
		reused bool
	}{
		"counted":                       {good, true},
		"chunked":                       {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", true},
		"chunked, with trailers":        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nA: b\r\n\r\n", true},
		"no body":                       {"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n", true},
		"204":                           {"HTTP/1.1 204 No Content\r\n\r\n", true},
		"after 100":                     {"HTTP/1.1 100 Continue\r\n\r\n" + good, true},
		"close":                         {"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}", false},
		"an old server":                 {"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\n{}", false},
		"bytes behind":                  {good + "POISON", false},
		"chunked and counted":           {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 9\r\n\r\n2\r\n{}\r\n0\r\n\r\n", false},
		"lines that end in LF":          {"HTTP/1.1 200 OK\nContent-Length: 2\n\n{}", false},
		"a line that ends in LF":        {"HTTP/1.1 200 OK\r\nA: b\nContent-Length: 2\r\n\r\n{}", false},
		"a folded line":                 {"HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 2\r\n\r\n{}", false},
		"a refusal":                     {"HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\n{}", false},
		"a head longer than the buffer": {"HTTP/1.1 200 OK\r\nA: " + strings.Repeat("b", linkBuffer) + "\r\nContent-Length: 2\r\n\r\n{}", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, answering(c.answer))
			p := NewPooled(patience, maxWait)
			for range 2 {
				if status, text, _ := ask(t.Context(), p, s); status < 200 || strings.Contains(text, "POISON") {
					t.Fatalf("got %d %q", status, text)
				}
			}
			if reused := s.dialed.Load() == 1; reused != c.reused {
				t.Errorf("reused: %v", reused)
			}
		})
	}
}

// A server may answer without having read the body. What is left of it must not become the next client's request.
func TestUnreadBodyIsNoRequest(t *testing.T) {
	s := serve(t, func(_ int32, conn *net.TCPConn) {
		reader := bufio.NewReader(conn)
		for {
			r, err := http.ReadRequest(reader)
			if err != nil {
				return
			}
			if r.Header.Get("Read") != "" {
				_, _ = io.Copy(io.Discard, r.Body)
			}
			_, _ = io.WriteString(conn, "HTTP/1.1 "+r.Header.Get("Status")+" X\r\nContent-Length: 2\r\n\r\n{}")
		}
	})
	for _, c := range []struct {
		method, status, read string
		reused               bool
	}{
		{http.MethodPost, "200", "yes", true},
		{http.MethodPost, "404", "", false},
		{http.MethodGet, "200", "", false},
		{http.MethodDelete, "200", "", false},
	} {
		p := NewPooled(patience, maxWait)
		before := s.dialed.Load()
		for range 2 {
			smuggled := "GET /secret HTTP/1.1\r\nHost: a\r\nStatus: 200\r\n\r\n"
			r := newRequest(s)
			r.Method, r.Body, r.ContentLength = c.method, io.NopCloser(strings.NewReader(smuggled)), int64(len(smuggled))
			r.Header = http.Header{"Status": {c.status}, "Read": {c.read}}
			answer, err := p.Do(t.Context(), r, &Trail{})
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, answer.Body)
			answer.Body.Close()
		}
		if reused := s.dialed.Load()-before == 1; reused != c.reused {
			t.Errorf("%s, %s: reused: %t", c.method, c.status, reused)
		}
	}
}

// What was not read to its end, or was given up, is closed.
func TestWhatIsLeftUnreadIsClosed(t *testing.T) {
	s := serve(t, answering(good))
	p := NewPooled(patience, maxWait)
	response, err := p.Do(t.Context(), newRequest(s), &Trail{})
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	ctx, cancel := context.WithCancel(t.Context())
	response, err = p.Do(ctx, newRequest(s), &Trail{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(response.Body); err != nil {
		t.Fatal(err)
	}
	cancel() // Too late for the answer, too early for the pool.
	response.Body.Close()
	if _, _, trail := ask(t.Context(), p, s); trail.reused || s.dialed.Load() != 3 {
		t.Errorf("3 exchanges on %d connections", s.dialed.Load())
	}
}

// A server that closes or speaks on a waiting connection is found out before anything is written to it, and distrusted.
func TestWaitingConnectionIsLookedAt(t *testing.T) {
	for name, behave := range map[string]func(*net.TCPConn){
		"closes": func(*net.TCPConn) {},
		"resets": func(conn *net.TCPConn) { _ = conn.SetLinger(0) },
		"speaks": func(conn *net.TCPConn) {
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nPOISON")
			_, _ = io.Copy(io.Discard, conn)
		},
	} {
		t.Run(name, func(t *testing.T) {
			behaved := make(chan struct{}, 1)
			s := serve(t, func(n int32, conn *net.TCPConn) {
				for range requests(conn) {
					_, _ = io.WriteString(conn, good)
					if n == 1 {
						break
					}
				}
				if n == 1 {
					go func() { behaved <- struct{}{} }()
					behave(conn)
				}
			})
			p := NewPooled(patience, maxWait)
			ask(t.Context(), p, s)
			<-behaved
			// The kernel may take a moment to bring what the server did.
			for deadline := time.Now().Add(patience); len(p.pool.idle) > 0 && p.pool.idle[0].isQuiet() && time.Now().Before(deadline); {
				time.Sleep(time.Millisecond)
			}
			for range 3 {
				if status, text, trail := ask(t.Context(), p, s); status != 200 || text != "{}" || trail.reused {
					t.Errorf("got %d %q, reused: %v", status, text, trail.reused)
				}
			}
		})
	}
}

// A request that was written is never written again.
func TestNothingIsSentTwice(t *testing.T) {
	var got atomic.Int32
	s := serve(t, func(_ int32, conn *net.TCPConn) {
		for i := range requests(conn) {
			got.Add(1)
			if i == 1 {
				return
			}
			_, _ = io.WriteString(conn, good)
		}
	})
	p := NewPooled(patience, maxWait)
	ask(t.Context(), p, s)
	if status, _, trail := ask(t.Context(), p, s); status != 0 || trail.Kind() != gateapi.ReasonUpstreamReset || got.Load() != 2 {
		t.Errorf("status %d, called %q, and the server got %d requests", status, trail.Kind(), got.Load())
	}
	for range 2 {
		if status, _, trail := ask(t.Context(), p, s); status != 200 || trail.reused {
			t.Errorf("afterwards: status %d, reused: %v", status, trail.reused)
		}
	}
}

// Connections do not wait for long, and none waits for ever.
func TestWaitingEnds(t *testing.T) {
	closed := make(chan struct{}, 10)
	s := serve(t, func(_ int32, conn *net.TCPConn) {
		answering(good)(0, conn)
		closed <- struct{}{}
	})
	p := NewPooled(patience, maxWait)
	for range 2 {
		ask(t.Context(), p, s)
		select {
		case <-closed:
		case <-time.After(patience):
			t.Fatal("the connection is kept")
		}
	}
}

// What is reused follows what the server was seen to endure.
func TestReuseFollowsTheServersPatience(t *testing.T) {
	for name, c := range map[string]struct {
		keepAlive time.Duration
		reused    bool
	}{
		"patient": {patience, true},
		"hasty":   {leastEndured - 2*sweepEvery, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, func(_ int32, conn *net.TCPConn) {
				for range requests(conn) {
					_, _ = io.WriteString(conn, good)
					_ = conn.SetReadDeadline(time.Now().Add(c.keepAlive))
				}
			})
			p := NewPooled(patience, 0)
			reused := false
			for end := time.Now().Add(3 * maxWait); time.Now().Before(end); time.Sleep(sweepEvery) {
				status, _, trail := ask(t.Context(), p, s)
				reused = reused || trail.reused
				if status != http.StatusOK {
					t.Fatalf("status %d", status)
				}
			}
			if reused != c.reused {
				t.Errorf("reused: %t", reused)
			}
		})
	}
}

// 400 requests at the pace at which the server closes waiting connections: the worst there is, and none is lost.
func TestNoRequestIsLostToKeepAlive(t *testing.T) {
	for keepAlive, clients := range map[time.Duration]int{50 * time.Millisecond: 8, 3 * leastEndured / 2: 100} {
		t.Run(keepAlive.String(), func(t *testing.T) {
			t.Parallel()
			listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			front := &http.Server{IdleTimeout: keepAlive, ReadHeaderTimeout: patience, Handler: http.HandlerFunc(
				func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "{}") })}
			go front.Serve(listener) //nolint:errcheck // Ends with the test.
			t.Cleanup(func() { front.Close() })
			s := &server{address: listener.Addr().String()}
			p := NewPooled(patience, 0)
			each := 400 / clients
			lost := make(chan int, clients)
			for client := range clients {
				go func() {
					failed := 0
					for i := range each {
						if status, _, _ := ask(t.Context(), p, s); status != http.StatusOK {
							failed++
						}
						time.Sleep(keepAlive + time.Duration((client*each+i)%11-4)*250*time.Microsecond)
					}
					lost <- failed
				}()
			}
			for range clients {
				if failed := <-lost; failed > 0 {
					t.Errorf("%d of %d requests were lost", failed, each)
				}
			}
		})
	}
}
