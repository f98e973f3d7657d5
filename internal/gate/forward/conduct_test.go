package forward_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/deny"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/forward"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

// What the kernel makes of a connection that is closed while we write depends on who is first. It is an answer anyway.
func TestServerThatClosesEarly(t *testing.T) {
	for way, forwarder := range ways {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			forwarder := forwarder()
			for name, sc := range map[string]scene{
				"at once":                         {client: []string{post(ping)}, server: func(*peer) {}},
				"half an answer, before the body": {client: []string{post(strings.Repeat("x", 4<<20))}, server: unread("HTTP/1.1 413 Content Too")},
				"half an answer, small body":      {client: []string{post(ping)}, server: unread("HTTP/1.1 413 Content Too")},
			} {
				s := newStage(t, forwarder, sc.server)
				seen, err := s.play(sc)
				kind := s.failed().Kind
				if !strings.HasPrefix(string(seen), "HTTP/1.1 502 ") || err != nil || kind != gateapi.ReasonUpstreamClosed && kind != gateapi.ReasonUpstreamReset {
					t.Errorf("%s: got %q, %v, and it is called %q", name, seen, err, kind)
				}
			}
		})
	}
}

// Both sides send 4 MiB before they read. Whoever only writes blocks both.
func TestLargeMessagesBothWaysAtOnce(t *testing.T) {
	const size = 4 << 20
	for way, forwarder := range ways {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			forwarder := forwarder()
			for _, sent := range []int{size, 64<<10 - 1} {
				s := newStage(t, forwarder, func(p *peer) {
					_, _ = p.reader.Peek(1)
					p.send(ok + "Content-Length: " + itoa(size) + "\r\n\r\n")
					p.send(strings.Repeat("y", size))
					p.request()
				})
				seen, err := s.play(scene{client: []string{post(strings.Repeat("x", sent), "X-Long: "+strings.Repeat("x", 30<<10))}})
				if !strings.HasPrefix(string(seen), ok) || len(seen) < size || err != nil {
					t.Errorf("a body of %d: got %.40q, %d bytes, %v", sent, seen, len(seen), err)
				}
			}
		})
	}
}

// Each event arrives before the next is sent, and the header before the first.
func TestEventsDoNotWait(t *testing.T) {
	for way, forwarder := range ways {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			forwarder := forwarder()
			for name, method := range map[string]string{"to a POST": post(ping), "to a GET": gets[0]} {
				next := make(chan string)
				s := newStage(t, forwarder, func(p *peer) {
					if p.request() {
						for text := range next {
							p.send(text)
						}
					}
				})
				conn := s.dial()
				_, err := io.WriteString(conn, method)
				must(t, err)
				next <- events + "\r\n"
				response, err := http.ReadResponse(bufio.NewReader(conn), nil)
				must(t, err)
				for _, event := range []string{":\n\n", "data: 1\n\n", "data: {", "}\n\n", "\n"} {
					next <- chunk(event)
					got := make([]byte, len(event))
					if _, err := io.ReadFull(response.Body, got); err != nil || string(got) != event {
						t.Fatalf("%s: got %q, %v; want %q", name, got, err, event)
					}
				}
				close(next)
				if rest, err := io.ReadAll(response.Body); len(rest) > 0 || !errors.Is(err, io.ErrUnexpectedEOF) {
					t.Errorf("%s: the stream was cut off, and the client sees %q, %v", name, rest, err)
				}
				conn.Close()
			}
		})
	}
}

// A stream that the gate ends says why, where that garbles nothing, and does not look complete.
func TestEndOfAStream(t *testing.T) {
	for way, forwarder := range ways {
		for event, want := range map[string]string{
			"data: 1\n\n": "data: 1\n\n: it is late\n", "data: {": "data: {", "": ": it is late\n",
		} {
			t.Run(fmt.Sprintf("%s, after %q", way, event), func(t *testing.T) {
				t.Parallel()
				end, over := make(chan func(forward.StreamEnd), 1), make(chan struct{})
				s := newStage(t, forwarder(), func(p *peer) {
					p.request()
					p.send(events + "\r\n")
					if event != "" {
						p.send(chunk(event))
					}
					_, _ = io.Copy(io.Discard, p)
				})
				s.streaming = func(f func(forward.StreamEnd)) (func(), *deny.Denial) {
					end <- f
					return func() { close(over) }, nil
				}
				conn := s.dial()
				defer conn.Close()
				_, err := io.WriteString(conn, post(ping))
				must(t, err)
				response, err := http.ReadResponse(bufio.NewReader(conn), nil)
				must(t, err)
				got := make([]byte, len(event))
				_, err = io.ReadFull(response.Body, got)
				must(t, err)
				finish := <-end
				finish("it is late")
				finish("it is later")
				rest, err := io.ReadAll(response.Body)
				if string(got)+string(rest) != want || !errors.Is(err, io.ErrUnexpectedEOF) {
					t.Errorf("got %q, %v; want %q and an end that is seen to be one", string(got)+string(rest), err, want)
				}
				<-over
				finish("afterwards") // It may come too late, and harms nobody.
				s.wait()
				if failure := s.failed(); failure.Kind != "" {
					t.Errorf("the server is blamed: %s", failure.Kind)
				}
			})
		}
	}
}

func chunk(text string) string { return itoa16(len(text)) + "\r\n" + text + "\r\n" }

// A client that leaves takes its request with it, at whatever point it is (MCP 2026-07-28, transports, "Cancellation").
func TestServerSeesTheClientLeave(t *testing.T) {
	long := request("POST", strings.Repeat("x", 1<<20))
	for way, forwarder := range ways {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			forwarder := forwarder()
			for name, c := range map[string]struct{ client, server string }{
				"before the answer":      {request("POST", ping), ""},
				"without a body":         {request("GET", ""), ""},
				"in the header":          {request("POST", ping), ok + "Content-"},
				"before the body":        {request("POST", ping), ok + "Content-Length: 50\r\n\r\n"},
				"in the body":            {request("POST", ping), ok + "Content-Length: 50\r\n\r\nhello"},
				"in a chunk":             {request("POST", ping), chunked + "\r\n9\r\nhello"},
				"between events":         {request("POST", ping), events + "\r\n9\r\ndata: 1\n\n\r\n"},
				"in the client's body":   {long[:len(long)/2], ""},
				"after a long body":      {long, ""},
				"after a chunked body":   {postHead("Transfer-Encoding: chunked") + "2\r\n{}\r\n0\r\n\r\n", ""},
				"in a body until closed": {request("GET", ""), ok + "\r\nhello"},
			} {
				for how, leave := range map[string]func(*net.TCPConn) error{
					"closes": (*net.TCPConn).Close,
					"resets": func(conn *net.TCPConn) error { return errors.Join(conn.SetLinger(0), conn.Close()) },
				} {
					begun, ended := make(chan struct{}), make(chan struct{})
					s := newStage(t, forwarder, func(p *peer) {
						buffer := make([]byte, 64<<10)
						n, err := p.Read(buffer)
						for p.SetReadDeadline(time.Now().Add(100*time.Millisecond)) == nil && err == nil && n > 0 && c.client != request("GET", "") {
							n, err = p.Read(buffer)
						}
						must(t, p.SetReadDeadline(time.Time{}))
						p.send(c.server)
						close(begun)
						_, _ = io.Copy(io.Discard, p)
						close(ended)
					})
					conn := s.dial()
					go sendAs(conn, c.client, false)
					<-begun
					if c.server != "" && c.server != ok+"Content-" {
						_, err := conn.Read(make([]byte, 1))
						must(t, err)
					}
					must(t, leave(conn))
					select {
					case <-ended:
					case <-time.After(patience):
						t.Errorf("%s, the client %s: the server is left working", name, how)
					}
					s.wait()
					if failure := s.failed(); failure.Kind != "" {
						t.Errorf("%s, the client %s: the server is blamed: %s", name, how, failure.Kind)
					}
				}
			}
		})
	}
}
