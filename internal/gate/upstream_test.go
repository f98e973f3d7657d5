package gate_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gate"
)

// readRequest takes a whole request off the connection.
func readRequest(conn net.Conn) {
	if r, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
		_, _ = io.Copy(io.Discard, r.Body)
	}
}

func reset(conn *net.TCPConn) {
	_ = conn.SetLinger(0)
	_ = conn.Close()
}

// hang keeps the connection until the other side closes it.
func hang(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }

func sendText(conn net.Conn, text string) { _, _ = io.WriteString(conn, text) }

func TestServerFailureBecomesAnAnswer(t *testing.T) {
	closed := listen(t)
	closed.Close()
	for name, c := range map[string]struct {
		upstream net.Addr
		status   int
		reason   string
	}{
		"nobody listens": {closed.Addr(), 502, "upstream_refused"},
		"reset at once":  {serveRaw(t, reset), 502, "upstream_reset"},
		"reset after the request": {serveRaw(t, func(conn *net.TCPConn) {
			readRequest(conn)
			reset(conn)
		}), 502, "upstream_reset"},
		"closed after the request": {serveRaw(t, func(conn *net.TCPConn) { readRequest(conn) }), 502, "upstream_closed"},
		"half a header": {serveRaw(t, func(conn *net.TCPConn) {
			readRequest(conn)
			sendText(conn, "HTTP/1.1 200 OK\r\nContent-")
		}), 502, "upstream_closed"},
		"half a header, then a reset": {serveRaw(t, func(conn *net.TCPConn) {
			readRequest(conn)
			sendText(conn, "HTTP/1.1 200 OK\r\nContent-")
			reset(conn)
		}), 502, "upstream_reset"},
		"speaks first": {serveRaw(t, func(conn *net.TCPConn) {
			sendText(conn, "220 mail.example ESMTP\r\n\r\n")
			hang(conn)
		}), 502, "upstream_not_http"},
		"not HTTP": {serveRaw(t, func(conn *net.TCPConn) {
			readRequest(conn)
			sendText(conn, "220 mail.example ESMTP\r\n\r\n")
			hang(conn)
		}), 502, "upstream_not_http"},
		"TLS, and closed": {serveRaw(t, func(conn *net.TCPConn) {
			readRequest(conn)
			sendText(conn, "\x15\x03\x01\x00\x02\x02\x46")
		}), 502, "upstream_not_http"},
		"TLS, and a reset": {serveRaw(t, func(conn *net.TCPConn) {
			readRequest(conn)
			sendText(conn, "\x15\x03\x01\x00\x02\x02\x46")
			reset(conn)
		}), 502, "upstream_not_http"},
		"HTTP/2, without an end": {serveRaw(t, func(conn *net.TCPConn) {
			readRequest(conn)
			sendText(conn, "\x00\x00\x00\x04\x00\x00\x00\x00\x00")
			hang(conn)
		}), 502, "upstream_not_http"},
		"the first letters of HTTP": {serveRaw(t, func(conn *net.TCPConn) {
			readRequest(conn)
			sendText(conn, "HTT")
		}), 502, "upstream_closed"},
		"endless header": {serveRaw(t, func(conn *net.TCPConn) {
			readRequest(conn)
			sendText(conn, "HTTP/1.1 200 OK\r\nX: "+strings.Repeat("x", 1<<20))
			hang(conn)
		}), 502, "upstream_not_http"},
		"two lengths": {serveRaw(t, func(conn *net.TCPConn) {
			readRequest(conn)
			sendText(conn, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx")
			hang(conn)
		}), 502, "upstream_not_http"},
		"switches protocols": {serveRaw(t, func(conn *net.TCPConn) {
			readRequest(conn)
			sendText(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n")
			hang(conn)
		}), 502, "upstream_upgrade"},
		"says nothing": {serveRaw(t, func(conn *net.TCPConn) { hang(conn) }), 504, "upstream_timeout"},
		"reads nothing": {serveRaw(t, func(*net.TCPConn) {
			<-t.Context().Done()
		}), 504, "upstream_timeout"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, c.upstream, func(_ *site, o *gate.Options) {
				// Short where it must run out; long where a slow machine must not make it.
				o.AnswerTimeout = time.Minute
				if c.status == http.StatusGatewayTimeout {
					o.AnswerTimeout = 300 * time.Millisecond
				}
			})
			for _, body := range []string{ping, ping[:len(ping)-1] + `,"p":"` + strings.Repeat("x", 3<<20) + `"}`} {
				got := s.do(s.request(http.MethodPost, "/mcp", s.token(), strings.NewReader(body)))
				if got.status != c.status || got.Error.Data.Reason != c.reason {
					t.Errorf("body of %d: got %d %s, want %d %s", len(body), got.status, got.body, c.status, c.reason)
				}
				if string(got.ID) != "7" || got.Error.Code != -31000-c.status || got.Error.Message == "" {
					t.Errorf("body of %d: no JSON-RPC error that the client can show: %s", len(body), got.body)
				}
			}
			s.eventually("the failures are counted", func() bool {
				return strings.Contains(s.adminGet("/metrics").body,
					fmt.Sprintf(`gatehouse_gate_upstream_failures_total{kind="%s"} 2`, c.reason))
			})
		})
	}
}

func TestHintsOfTheServerEndAtTheGate(t *testing.T) {
	s := newSite(t, serveRaw(t, func(conn *net.TCPConn) {
		readRequest(conn)
		sendText(conn, "HTTP/1.1 103 Early Hints\r\nGatehouse-Reason: forged\r\n\r\n"+
			"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nGatehouse-Reason: forged\r\nTrailer: X-Late\r\n\r\nok")
	}))
	hints := 0
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
		Got1xxResponse: func(int, textproto.MIMEHeader) error { hints++; return nil },
	})
	got := s.do(s.request(http.MethodPost, "/mcp", s.token(), strings.NewReader(ping)).WithContext(ctx))
	if got.status != 200 || got.body != "ok" || hints != 0 || got.header.Get("Gatehouse-Reason") != "" {
		t.Errorf("got %d %q, %d hints, %v", got.status, got.body, hints, got.header)
	}
}

// The server answers before it has read the request, and closes. A client that sends all before it reads must see that
// answer.
func TestEarlyAnswerOfTheServerCounts(t *testing.T) {
	s := prepareSite(t, serveRaw(t, func(conn *net.TCPConn) {
		_, _ = io.CopyN(io.Discard, conn, 1<<10)
		sendText(conn, "HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig")
		// What is left unread makes the kernel reset the connection.
	}))
	s.config.Limits.BodyBytes = 64 << 20
	s.writeConfig()
	s.start()
	response := s.postAllThenRead(32<<20, "Authorization: Bearer "+s.token()+"\r\n")
	got, err := io.ReadAll(response.Body)
	if response.StatusCode != 413 || string(got) != "big" || err != nil {
		t.Errorf("got %d %q, %v, want the server's own 413", response.StatusCode, got, err)
	}
}

// A server that breaks off in the middle must not leave the client with an answer that looks complete.
func TestBrokenAnswerIsSeenToBreak(t *testing.T) {
	for name, reply := range map[string]string{
		"chunked":        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
		"counted":        "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello",
		"event stream":   "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
		"broken framing": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, serveRaw(t, func(conn *net.TCPConn) {
				readRequest(conn)
				sendText(conn, reply)
			}))
			got, err := s.try(s.request(http.MethodPost, "/mcp", s.token(), strings.NewReader(ping)))
			if !errors.Is(err, io.ErrUnexpectedEOF) || got.body != "hello" || got.status != 200 {
				t.Errorf("got %d %q, error %v; want 200, what there was, and an unexpected end", got.status, got.body, err)
			}
			s.eventually("the failure is counted", func() bool {
				return strings.Contains(s.adminGet("/metrics").body, `upstream_failures_total{kind="upstream_truncated"} 1`)
			})
		})
	}
}

func TestEventsArriveOneByOne(t *testing.T) {
	seen := make(chan struct{})
	s := newSite(t, serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		send := func(text string) {
			_, _ = io.WriteString(w, text)
			_ = http.NewResponseController(w).Flush()
		}
		send("data: 1\n\n")
		select {
		case <-seen:
		case <-r.Context().Done():
			return
		}
		send("data: 2\n\n")
	}))
	for _, method := range []string{http.MethodPost, http.MethodGet} {
		response, err := http.DefaultClient.Do(s.request(method, "/mcp", s.token(), strings.NewReader(ping)))
		must(t, err)
		first := make([]byte, len("data: 1\n\n"))
		_, err = io.ReadFull(response.Body, first)
		must(t, err)
		seen <- struct{}{} // The server sends the second event only now.
		rest, err := io.ReadAll(response.Body)
		if err != nil || string(first)+string(rest) != "data: 1\n\ndata: 2\n\n" {
			t.Errorf("%s: got %q %q, %v", method, first, rest, err)
		}
		response.Body.Close()
	}
}

// Closing the stream is how a client cancels (MCP 2026-07-28, transports, "Cancellation").
func TestClientThatLeavesCancelsTheServer(t *testing.T) {
	for name, started := range map[string]bool{"before the answer": false, "in the stream": true} {
		t.Run(name, func(t *testing.T) {
			reached, cancelled := make(chan struct{}), make(chan struct{})
			s := newSite(t, serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				if started {
					w.Header().Set("Content-Type", "text/event-stream")
					_ = http.NewResponseController(w).Flush()
				}
				close(reached)
				<-r.Context().Done()
				close(cancelled)
			}))
			ctx, leave := context.WithCancel(t.Context())
			defer leave()
			go func() {
				<-reached
				leave()
			}()
			if response, err := http.DefaultClient.Do(
				s.request(http.MethodPost, "/mcp", s.token(), strings.NewReader(ping)).WithContext(ctx)); err == nil {
				_, _ = io.Copy(io.Discard, response.Body)
				response.Body.Close()
			}
			select {
			case <-cancelled:
			case <-time.After(patience):
				t.Fatal("the server was left working")
			}
			if strings.Contains(s.adminGet("/metrics").body, "upstream_failures_total{") {
				t.Error("the client's leaving was counted as a failure of the server")
			}
		})
	}
}

// The server answers what it has, and the client sends the rest only when it has seen that. Short bodies are read before
// they are forwarded.
func TestRequestAndAnswerMayOverlap(t *testing.T) {
	const half = 64 << 10
	s := newSite(t, serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		control := http.NewResponseController(w)
		_ = control.EnableFullDuplex()
		buffer := make([]byte, half)
		for {
			n, err := io.ReadFull(r.Body, buffer)
			_, _ = w.Write(buffer[:n])
			_ = control.Flush()
			if err != nil {
				return
			}
		}
	}))
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", s.clients)
	must(t, err)
	defer conn.Close()
	must(t, conn.SetDeadline(time.Now().Add(patience)))
	sendText(conn, fmt.Sprintf("POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\nAuthorization: Bearer %s\r\n\r\n", 2*half, s.token()))
	part := strings.Repeat("hello---", half/8)
	sendText(conn, part)
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	must(t, err)
	defer response.Body.Close()
	for range 2 {
		got := make([]byte, half)
		if _, err := io.ReadFull(response.Body, got); err != nil || string(got) != part {
			t.Fatalf("got %.20q, %v; want what was sent", got, err)
		}
		sendText(conn, part)
	}
}

func TestLargeBodiesPassBothWays(t *testing.T) {
	s := newSite(t, serveHTTP(t, echo))
	body := strings.Repeat("0123456789abcdef", 4<<20/16)
	if got := s.do(s.request(http.MethodPost, "/mcp", s.token(), strings.NewReader(body))); got.body != body {
		t.Errorf("got %d of %d bytes back", len(got.body), len(body))
	}
}
