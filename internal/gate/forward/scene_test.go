package forward_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/deny"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/forward"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/limit/body"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

// patience bounds what must happen at some time.
const patience = 20 * time.Second

// scene is one conversation on raw sockets: what a client sends, and what the server does with it.
type scene struct {
	name string
	// client is what is sent on one connection, each after the answer to the one before. Empty: post(ping).
	client []string
	// server does its part on each connection; see says and others. After the last of its replies it says that it is clean.
	server part
	// trickle sends the client's bytes one by one.
	trickle bool
}

// part plays a server on one connection.
type part func(*peer)

// peer is the server's side of a connection to it.
type peer struct {
	*net.TCPConn

	stage  *stage
	reader *bufio.Reader
	raw    *bytes.Buffer // what has come in
}

// request takes the next request, whole, off the connection; false if there is none.
func (p *peer) request() bool {
	r, err := http.ReadRequest(p.reader)
	if err == nil {
		_, err = io.Copy(io.Discard, r.Body)
	}
	if err == nil {
		p.stage.noteRequest(p.raw.String())
	}
	p.raw.Reset()
	return err == nil
}

func (p *peer) send(text string) { _, _ = io.WriteString(p, text) }

func (p *peer) reset() {
	_ = p.SetLinger(0)
	_ = p.Close()
}

// says answers each request with this text and keeps the connection.
func says(text string) part {
	return func(p *peer) {
		for p.request() {
			p.send(p.stage.next(text))
		}
	}
}

// saysAndCloses answers one request on each connection.
func saysAndCloses(text string) part {
	return func(p *peer) {
		if p.request() {
			p.send(p.stage.next(text))
		}
	}
}

// saysAndResets likewise, and ends with a reset.
func saysAndResets(text string) part {
	return func(p *peer) {
		if !p.request() {
			return
		}
		text := p.stage.next(text)
		p.send(text)
		if text != clean {
			p.reset()
		}
	}
}

// isOver: the scene is, and the server is to be clean.
func (p *peer) isOver() bool { return p.stage.next("") == clean }

// clean is the answer to whoever comes after a scene. Getting any other shows that an answer was left behind.
const clean = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nclean"

// stage is a forwarder between a client and a server, on real sockets.
type stage struct {
	t       *testing.T
	clients string // host:port
	server  net.Listener
	served  chan struct{} // one for each request that the forwarder has finished with
	// streaming is Request.Streaming.
	streaming func(end func(forward.StreamEnd)) (over func(), refused *deny.Denial)

	mu       sync.Mutex
	over     bool // the scene is: the server answers clean from now on
	requests []string
	failures []forward.Failure
}

func newStage(t *testing.T, forwarder *forward.Forwarder, server part) *stage {
	t.Helper()
	s := &stage{t: t, server: listen(t), served: make(chan struct{}, 1<<10)}
	go accept(s.server, func(conn *net.TCPConn) {
		defer conn.Close()
		raw := &bytes.Buffer{}
		server(&peer{TCPConn: conn, stage: s, raw: raw, reader: bufio.NewReader(io.TeeReader(conn, raw))})
	})
	principal := somebody(t)
	upstream := gateapi.Upstream{Port: int32(s.server.Addr().(*net.TCPAddr).Port), Path: "/mcp"}
	front := &http.Server{
		ReadHeaderTimeout: patience, MaxHeaderBytes: 32 << 10,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			defer func() { s.served <- struct{}{} }()
			_ = http.NewResponseController(w).EnableFullDuplex()
			forwarder.Serve(w, r, forward.Request{
				Principal: principal, Upstream: upstream, Body: body.Of(w, r, 8<<20), Site: deny.Site{Realm: "test"},
				Streaming: s.streaming,
			}, s.noteFailure)
		}),
	}
	listener := listen(t)
	s.clients = listener.Addr().String()
	go front.Serve(listener) //nolint:errcheck // Ends with the test.
	t.Cleanup(func() { front.Close() })
	return s
}

func (s *stage) noteRequest(raw string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.over {
		s.requests = append(s.requests, raw)
	}
}

func (s *stage) noteFailure(failure forward.Failure) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failures = append(s.failures, failure)
}

// failed is how the last exchange failed, if one did.
func (s *stage) failed() forward.Failure {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.failures) == 0 {
		return forward.Failure{}
	}
	return s.failures[len(s.failures)-1]
}

// next gives what the server says now.
func (s *stage) next(text string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return clean
	}
	return text
}

// wait waits until the forwarder has finished with a request.
func (s *stage) wait() {
	select {
	case <-s.served:
	case <-time.After(patience):
		s.t.Error("the forwarder does not finish with a request")
	}
}

// play lets the client say its part and gives what it saw.
func (s *stage) play(sc scene) (seen []byte, end error) {
	s.t.Helper()
	conn := s.dial()
	defer conn.Close()
	var raw bytes.Buffer
	reader := bufio.NewReader(io.TeeReader(conn, &raw))
	for i, text := range sc.client {
		go sendAs(conn, text, sc.trickle)
		if i == len(sc.client)-1 {
			break
		}
		response, err := http.ReadResponse(reader, nil)
		if err == nil {
			_, err = io.Copy(io.Discard, response.Body)
		}
		if err != nil {
			return raw.Bytes(), err
		}
	}
	_, end = io.Copy(io.Discard, reader)
	return raw.Bytes(), end
}

func sendAs(w io.Writer, text string, trickle bool) {
	if !trickle {
		_, _ = io.WriteString(w, text)
		return
	}
	for i := range len(text) {
		if _, err := io.WriteString(w, text[i:i+1]); err != nil {
			return
		}
	}
}

func (s *stage) dial() *net.TCPConn {
	s.t.Helper()
	conn, err := new(net.Dialer).DialContext(s.t.Context(), "tcp", s.clients)
	must(s.t, err)
	must(s.t, conn.SetDeadline(time.Now().Add(patience)))
	return conn.(*net.TCPConn)
}

// isClean asks once more, on a connection of its own: whoever comes next must get the answer to its own request.
func (s *stage) isClean() {
	s.t.Helper()
	s.mu.Lock()
	s.over = true
	s.mu.Unlock()
	seen, err := s.play(scene{client: []string{post(ping)}})
	if !strings.HasSuffix(string(seen), "\r\n\r\nclean") || err != nil {
		s.t.Errorf("whoever came next got %q, %v", seen, err)
	}
}

const ping = `{"jsonrpc":"2.0","id":7,"method":"ping"}`

// post is a request as clients make it, the last on its connection.
func post(text string, headers ...string) string {
	return request("POST", text, append(headers, "Connection: close")...)
}

func request(method, text string, headers ...string) string {
	var out strings.Builder
	out.WriteString(method + " /mcp HTTP/1.1\r\nHost: localhost\r\n")
	for _, header := range headers {
		out.WriteString(header + "\r\n")
	}
	if text != "" {
		out.WriteString("Content-Length: " + itoa(len(text)) + "\r\n")
	}
	out.WriteString("\r\n" + text)
	return out.String()
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { listener.Close() })
	return listener
}

func accept(listener net.Listener, handle func(*net.TCPConn)) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		go handle(conn.(*net.TCPConn))
	}
}

func isReset(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
