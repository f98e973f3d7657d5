package gate

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// connectionSite serves with at most four waiting connections. A request for /good is one of a verified caller; one for
// /slow, or /good/slow, is told to working, and answered by finish.
func connectionSite(t *testing.T) (
	open func(first string) *bufio.ReadWriter, working chan struct{}, finish func(), closed *atomic.Int32,
) {
	t.Helper()
	s := newConnectionSite(t)
	return s.open, s.working, s.finish, &s.closed
}

type connectionedSite struct {
	pool    *connections
	open    func(first string) *bufio.ReadWriter
	working chan struct{}
	finish  func()
	closed  atomic.Int32
}

func (s *connectionedSite) waitForKnown(t *testing.T, want int) {
	t.Helper()
	for limit := time.Now().Add(time.Minute); time.Now().Before(limit); time.Sleep(time.Millisecond) {
		s.pool.mu.Lock()
		got := s.pool.known.Len()
		s.pool.mu.Unlock()
		if got == want {
			return
		}
	}
	t.Fatalf("never were %d known connections waiting", want)
}

func newConnectionSite(t *testing.T) *connectionedSite {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s, answer := &connectionedSite{working: make(chan struct{})}, make(chan struct{})
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		conn, good := connectionOf(r), strings.HasPrefix(r.URL.Path, "/good")
		conn.begin()
		defer conn.end(good)
		if good {
			conn.admit()
		}
		if strings.HasSuffix(r.URL.Path, "/slow") {
			s.working <- struct{}{}
			<-answer
		}
	})}
	s.pool = newConnections(4, func() { s.closed.Add(1) })
	s.pool.bound(server)
	go server.Serve(listener) //nolint:errcheck // Ends with the test.
	t.Cleanup(func() { server.Close() })
	s.finish = sync.OnceFunc(func() { close(answer) })
	t.Cleanup(s.finish)
	s.open = func(first string) *bufio.ReadWriter {
		t.Helper()
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		_ = conn.SetDeadline(time.Now().Add(time.Minute))
		_, _ = io.WriteString(conn, first)
		return bufio.NewReadWriter(bufio.NewReader(conn), bufio.NewWriter(conn))
	}
	return s
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

// opened returns once the server has seen the connection.
func opened(t *testing.T, open func(string) *bufio.ReadWriter, path string) *bufio.ReadWriter {
	t.Helper()
	conn := open("")
	ask(t, conn, path)
	return conn
}

func TestRefusedConnectionsOverTheLimit_TheOneThatWaitsLongestIsClosed(t *testing.T) {
	open, working, finish, closed := connectionSite(t)
	slow := open("GET / HT") // never a whole header
	unanswered := open("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
	<-working
	first, second := opened(t, open, "/"), opened(t, open, "/")
	ask(t, first, "/") // which makes second the one that waits longest
	last := opened(t, open, "/")
	isClosed(t, second)
	ask(t, first, "/")
	latest := opened(t, open, "/") // closes last
	isClosed(t, last)
	ask(t, latest, "/")
	if got := closed.Load(); got != 2 {
		t.Errorf("%d were counted, want 2", got)
	}
	finish()
	expect200(t, unanswered)
	_, _ = slow.WriteString("TP/1.1\r\nHost: x\r\n\r\n")
	_ = slow.Flush()
	expect200(t, slow)
}

// A burst of connections must not push out one that has just come and is about to bring a good token.
func TestNewConnection_HasItsChanceBeforeItIsClosed(t *testing.T) {
	var clock atomic.Int64
	c := newConnections(2, func() {})
	c.now = func() time.Time { return time.Unix(clock.Load(), 0) }
	first, second := c.open(pipe(t)), c.open(pipe(t))
	third := make(chan *connection)
	go func() { third <- c.open(pipe(t)) }()
	first.begin()
	first.admit() // which makes room
	if got := <-third; got.gone || first.gone || second.gone {
		t.Fatal("a connection was closed although there was room")
	}
	go func() { third <- c.open(pipe(t)) }()
	clock.Add(2)
	if got := <-third; got.gone || !second.gone {
		t.Error("the one that has had its chance is still there")
	}
}

func pipe(t *testing.T) net.Conn {
	t.Helper()
	ours, theirs := net.Pipe()
	t.Cleanup(func() { theirs.Close() })
	return ours
}

func TestVerifiedRequestInProgress_IsNeverClosed(t *testing.T) {
	open, working, finish, _ := connectionSite(t)
	var busy []*bufio.ReadWriter
	for range 6 {
		busy = append(busy, open("GET /good/slow HTTP/1.1\r\nHost: x\r\n\r\n"))
		<-working
	}
	for range 6 {
		opened(t, open, "/")
	}
	finish()
	for _, conn := range busy {
		expect200(t, conn)
	}
}

func TestStrangers_TakeHalfOfThePlacesOfKnownCallers(t *testing.T) {
	site := newConnectionSite(t)
	open := site.open
	var known []*bufio.ReadWriter
	for i := range 4 {
		known = append(known, opened(t, open, "/good"))
		site.waitForKnown(t, i+1) // The client may have its answer before the server knows.
	}
	for range 10 { // of which two can stay
		opened(t, open, "/")
	}
	isClosed(t, known[0])
	isClosed(t, known[1])
	ask(t, known[2], "/good")
	ask(t, known[3], "/good")
	newcomer := opened(t, open, "/")
	ask(t, newcomer, "/")
}

// One connection of HTTP/2 may carry a hundred requests.
func TestConnectionWithMostRequests_IsClosedFirst(t *testing.T) {
	closed := 0
	c := newConnections(40, func() { closed++ })
	old, heavy := c.open(pipe(t)), c.open(pipe(t))
	heavy.begin()
	heavy.admit() // a verified caller's, with requests of strangers beside: closed when nothing else can be
	for range fairShare + 5 {
		heavy.begin()
	}
	light := c.open(pipe(t))
	for range fairShare {
		light.begin()
	}
	if closed != 0 {
		t.Fatalf("%d were closed at the limit of 40", closed)
	}
	for range 3 {
		light.begin()
	}
	if closed != 1 || !light.gone || old.gone || heavy.gone {
		t.Errorf("closed %d: heavy %t, old %t, light %t", closed, heavy.gone, old.gone, light.gone)
	}
	light.end(false) // must not count twice
	if c.load != 1+fairShare+5 || c.heavy != 1 {
		t.Errorf("load %d, heavy %d", c.load, c.heavy)
	}
	heavy.end(true)
	for range fairShare + 5 {
		heavy.end(false)
	}
	if c.load != 2 || c.heavy != 0 {
		t.Errorf("in the end: load %d, heavy %d", c.load, c.heavy)
	}
	c.forget(old.Conn)
	c.forget(heavy.Conn)
	if c.load != 0 || len(c.all) != 0 || c.fresh.Len()+c.refused.Len()+c.known.Len()+c.finishing.Len() != 0 {
		t.Errorf("left behind: load %d, %d connections", c.load, len(c.all))
	}
}

// A client that resets its stream, or does not read the end of its answer, leaves a connection that counts and may be closed.
func TestConnectionWhoseAnswerIsNotTaken_CountsAndIsClosedLast(t *testing.T) {
	var clock atomic.Int64
	c := newConnections(2, func() {})
	c.now = func() time.Time { return time.Unix(clock.Load(), 0) }
	reset, unread := c.open(pipe(t)), c.open(pipe(t))
	for _, conn := range []*connection{reset, unread} {
		conn.begin()
		conn.admit()
	}
	c.setIdle(reset.Conn, true) // before its handler ends, as over HTTP/2
	reset.end(true)
	unread.end(true)
	if c.load != 2 || c.known.Len() != 1 || c.finishing.Len() != 1 {
		t.Errorf("load %d, %d known, %d finishing", c.load, c.known.Len(), c.finishing.Len())
	}
	c.open(pipe(t))
	if !reset.gone || unread.gone {
		t.Error("the idle one must go first")
	}
	clock.Add(2)
	c.known.Init()
	if victim := c.victim(); victim == nil {
		t.Error("nothing may be closed")
	}
}

// The server stops only when its loop does, which may wait for room.
func TestEnd_LetsNobodyWaitForRoom(t *testing.T) {
	c := newConnections(1, func() {})
	c.now = func() time.Time { return time.Unix(0, 0) }
	c.open(pipe(t))
	second := make(chan *connection)
	go func() { second <- c.open(pipe(t)) }()
	c.end()
	select {
	case <-second:
	case <-time.After(time.Minute):
		t.Fatal("it still waits")
	}
}
