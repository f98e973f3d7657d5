package connection

import (
	"bufio"
	"errors"
	"fmt"
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
	pool    *Pool
	open    func(first string) *bufio.ReadWriter
	working chan struct{}
	finish  func()
	closed  atomic.Int32
}

func (s *connectionedSite) waitForKnown(t *testing.T, want int) {
	t.Helper()
	eventually(t, fmt.Sprint(want, " known connections wait"), func() bool {
		s.pool.mu.Lock()
		defer s.pool.mu.Unlock()
		return s.pool.known.Len() == want
	})
}

func (s *connectionedSite) clockIs(now func() time.Time) {
	s.pool.mu.Lock()
	defer s.pool.mu.Unlock()
	s.pool.now = now
}

func newConnectionSite(t *testing.T) *connectionedSite {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s, answer := &connectionedSite{working: make(chan struct{})}, make(chan struct{})
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		conn, good := Of(r), strings.HasPrefix(r.URL.Path, "/good")
		conn.Begin()
		defer conn.End(good)
		if good {
			conn.Admit()
		}
		if strings.HasSuffix(r.URL.Path, "/slow") {
			s.working <- struct{}{}
			<-answer
		}
	})}
	s.pool = New(4, func() { s.closed.Add(1) })
	s.pool.Serve(server)
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

func askFor(t *testing.T, conn *bufio.ReadWriter, path string) {
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

// openAndAsk returns once the server has seen the connection.
func openAndAsk(t *testing.T, open func(string) *bufio.ReadWriter, path string) *bufio.ReadWriter {
	t.Helper()
	conn := open("")
	askFor(t, conn, path)
	return conn
}

func TestRefusedConnectionsOverTheLimit_TheOneThatWaitsLongestIsClosed(t *testing.T) {
	open, working, finish, closed := connectionSite(t)
	slow := open("GET / HT") // never a whole header
	unanswered := open("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
	<-working
	first, second := openAndAsk(t, open, "/"), openAndAsk(t, open, "/")
	askFor(t, first, "/") // which makes second the one that waits longest
	last := openAndAsk(t, open, "/")
	isClosed(t, second)
	askFor(t, first, "/")
	latest := openAndAsk(t, open, "/") // closes last
	isClosed(t, last)
	askFor(t, latest, "/")
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
	c := New(2, func() {})
	c.now = func() time.Time { return time.Unix(clock.Load(), 0) }
	first, second := c.open(pipe(t)), c.open(pipe(t))
	third := make(chan *Conn)
	go func() { third <- c.open(pipe(t)) }()
	first.Begin()
	first.Admit() // which makes room
	if got := <-third; got.gone || first.gone || second.gone {
		t.Fatal("a connection was closed although there was room")
	}
	go func() { third <- c.open(pipe(t)) }()
	clock.Add(2)
	if got := <-third; got.gone || !second.gone {
		t.Error("the one that has had its chance is still there")
	}
}

// Of a known caller, or of one who brings a good token after a bad one.
func TestRequestThatIsJudged_HasItsChanceBeforeItsConnectionIsClosed(t *testing.T) {
	for name, before := range map[string]func(*Conn){
		"known":   func(conn *Conn) { conn.becomeKnown(); conn.Begin() },
		"refused": func(conn *Conn) { conn.End(false); conn.Begin() },
	} {
		t.Run(name, func(t *testing.T) {
			c := New(4, func() {})
			now := time.Unix(0, 0)
			c.now = func() time.Time { return now }
			var all []*Conn
			for range 4 {
				conn := c.open(pipe(t))
				conn.Begin()
				before(conn)
				all = append(all, conn)
			}
			asking, idle := all[0], all[3]
			idle.End(false)
			if c.open(pipe(t)); asking.gone || !idle.gone {
				t.Error("it was closed, though another is idle")
			}
			now = now.Add(chanceOfRequest)
			if c.open(pipe(t)); !asking.gone {
				t.Error("it is open, though it has had its chance")
			}
		})
	}
}

// Such as one that waits to be asked for its body.
func TestRequestThatIsRefused_ItsConnectionMakesRoomLikeAnIdleOne(t *testing.T) {
	c := New(2, func() {})
	holding, idle := c.open(pipe(t)), c.open(pipe(t))
	for _, conn := range []*Conn{holding, idle} {
		conn.Begin()
		conn.becomeKnown()
		conn.Begin()
		conn.Refuse()
	}
	idle.End(false)
	if c.open(pipe(t)); !holding.gone {
		t.Error("it is open, though it has waited longest")
	}
}

// Else a client that asks on an idle connection meets its end.
func TestKnownConnectionsThatMakeRoom_ClientsAreToldNotToUseTheirsAgain(t *testing.T) {
	c := New(2, func() {})
	now := time.Unix(0, 0)
	c.now = func() time.Time { return now }
	ask := func(conn *Conn) (stays bool) {
		stays = conn.Begin()
		conn.becomeKnown()
		return stays
	}
	for range 2 {
		if !ask(c.open(pipe(t))) {
			t.Error("there is room, and it is to go")
		}
	}
	third := c.open(pipe(t))
	if ask(third) {
		t.Error("one was closed, and the next is to stay")
	}
	if now = now.Add(chance); !ask(third) {
		t.Error("none was closed for a while, and it is to go")
	}
}

// Else they end for want of room when their requests do.
func TestMoreKnownConnectionsThanMayWait_ClientsAreToldNotToUseTheirsAgain(t *testing.T) {
	c := New(2, func() {})
	for i := range 3 {
		conn := c.open(pipe(t))
		if stays := conn.Begin(); stays != (i < 2) {
			t.Errorf("connection %d stays: %t", i+1, stays)
		}
		conn.Admit()
	}
}

// becomeKnown ends the request in progress as one of a verified caller.
func (conn *Conn) becomeKnown() {
	conn.Admit()
	conn.End(true)
	conn.pool.setIdle(conn.Conn, true)
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
		openAndAsk(t, open, "/")
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
		known = append(known, openAndAsk(t, open, "/good"))
		site.waitForKnown(t, i+1) // The client may have its answer before the server knows.
	}
	site.clockIs(func() time.Time { return time.Now().Add(chance) })
	for range 10 { // of which two can stay
		openAndAsk(t, open, "/")
	}
	isClosed(t, known[0])
	isClosed(t, known[1])
	askFor(t, known[2], "/good")
	askFor(t, known[3], "/good")
	newcomer := openAndAsk(t, open, "/")
	askFor(t, newcomer, "/")
}

// A client that asks all the time would meet the end of its connection.
func TestKnownConnectionsInUse_StrangersTakeThePlacesOfEachOther(t *testing.T) {
	site := newConnectionSite(t)
	now := time.Now()
	site.clockIs(func() time.Time { return now })
	var known []*bufio.ReadWriter
	for i := range 4 {
		known = append(known, openAndAsk(t, site.open, "/good"))
		site.waitForKnown(t, i+1)
	}
	for range 10 {
		openAndAsk(t, site.open, "/")
	}
	isClosed(t, known[0]) // There was nobody else.
	for _, conn := range known[1:] {
		askFor(t, conn, "/good")
	}
}

// The gate had much to do: the client has its answer only now, and asks again.
func TestKnownConnectionWhoseRequestTookLong_ItsNextHasItsChance(t *testing.T) {
	c := New(2, func() {})
	now := time.Unix(0, 0)
	c.now = func() time.Time { return now }
	late := c.open(unreadConn(t))
	late.Begin()
	late.Admit()
	now = now.Add(2 * chanceOfRequest)
	late.End(true)
	c.setIdle(late.Conn, true)
	other := c.open(pipe(t))
	other.Begin()
	other.becomeKnown()
	now = now.Add(chance)
	newcomer := c.open(pipe(t))
	if late.gone || !other.gone {
		t.Error("it was closed with a request in it, though another is idle")
	}
	newcomer.Begin()
	newcomer.becomeKnown()
	now = now.Add(chanceOfRequest)
	if c.open(pipe(t)); !late.gone {
		t.Error("it is open, though it has had its chance")
	}
}

// unreadConn is a connection with a request that the gate has not begun to read.
func unreadConn(t *testing.T) net.Conn {
	t.Helper()
	return &watchedConn{Conn: pipe(t)}
}

// One connection of HTTP/2 may carry a hundred requests.
func TestConnectionWithMostRequests_IsClosedFirst(t *testing.T) {
	closed := 0
	c := New(40, func() { closed++ })
	old, heavy := c.open(pipe(t)), c.open(pipe(t))
	heavy.Begin()
	heavy.Admit() // a verified caller's, with requests of strangers beside: closed when nothing else can be
	for range fairShare + 5 {
		heavy.Begin()
	}
	light := c.open(pipe(t))
	for range fairShare {
		light.Begin()
	}
	if closed != 0 {
		t.Fatalf("%d were closed at the limit of 40", closed)
	}
	for range 3 {
		light.Begin()
	}
	if closed != 1 || !light.gone || old.gone || heavy.gone {
		t.Errorf("closed %d: heavy %t, old %t, light %t", closed, heavy.gone, old.gone, light.gone)
	}
	light.End(false) // must not count twice
	if c.load != 1+fairShare+5 || c.heavy != 1 {
		t.Errorf("load %d, heavy %d", c.load, c.heavy)
	}
	heavy.End(true)
	for range fairShare + 5 {
		heavy.End(false)
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

// Requests without a token beside one with a good token, on several connections that each keep their fair share.
func TestRequestsBesideVerifiedOnes_CostNoIdleConnectionOfAKnownCaller(t *testing.T) {
	c := New(10, func() {})
	idle := c.open(pipe(t))
	idle.Begin()
	idle.becomeKnown()
	var mixed []*Conn
	for range 3 {
		conn := c.open(pipe(t))
		conn.Begin()
		conn.Admit()
		mixed = append(mixed, conn)
	}
	for i := range 10 {
		mixed[i%3].Begin()
	}
	closed := 0
	for _, conn := range mixed {
		if conn.gone {
			closed++
		}
	}
	if idle.gone || closed != 1 {
		t.Errorf("idle one closed: %t; of the others: %d", idle.gone, closed)
	}
}

// A client that resets its stream, or does not read the end of its answer, leaves a connection that counts and may be closed.
func TestConnectionWhoseAnswerIsNotTaken_CountsAndIsClosedLast(t *testing.T) {
	var clock atomic.Int64
	c := New(2, func() {})
	c.now = func() time.Time { return time.Unix(clock.Load(), 0) }
	reset, unread := c.open(pipe(t)), c.open(pipe(t))
	for _, conn := range []*Conn{reset, unread} {
		conn.Begin()
		conn.Admit()
	}
	c.setIdle(reset.Conn, true) // before its handler ends, as over HTTP/2
	reset.End(true)
	unread.End(true)
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

// The gate had much to do, and its client may have asked again.
func TestAnswerThatIsNotAtItsEnd_ItsConnectionIsClosedSoonOnlyIfTheGateWrites(t *testing.T) {
	for name, writes := range map[string]bool{"the client does not take it": true, "the gate is late": false} {
		t.Run(name, func(t *testing.T) {
			c := New(1, func() {})
			now := time.Unix(0, 0)
			c.now = func() time.Time { return now }
			answered := c.open(unreadConn(t))
			answered.Begin()
			answered.Admit()
			answered.End(true)
			watchedOf(answered.Conn).writing.Store(writes)
			now = now.Add(chance)
			if c.makeRoom(); answered.gone != writes {
				t.Errorf("closed after %s: %t", chance, answered.gone)
			}
			now = now.Add(chanceOfRequest)
			if c.makeRoom(); !answered.gone {
				t.Error("it is never closed")
			}
		})
	}
}

// Else a client that resets its requests, and comes again on new connections, fills the memory of a busy gate.
func TestRequestsOfClosedConnections_NewConnectionsWaitForTheirEnd(t *testing.T) {
	c := New(4, func() {})
	old := c.open(pipe(t))
	for range 4 {
		old.Begin()
	}
	old.Admit()
	c.forget(old.Conn)
	opened := make(chan *Conn)
	go func() { opened <- c.open(pipe(t)) }()
	select {
	case <-opened:
		t.Error("it was opened beside four requests that go on")
	case <-time.After(3 * chance / 10):
	}
	old.End(true)
	<-opened
	for range 3 {
		old.End(false)
	}
	if c.leaving != 0 {
		t.Errorf("%d are counted that have ended", c.leaving)
	}
}

// The server stops only when its loop does, which may wait for room.
func TestEnd_LetsNobodyWaitForRoom(t *testing.T) {
	c := New(1, func() {})
	c.now = func() time.Time { return time.Unix(0, 0) }
	c.open(pipe(t))
	second := make(chan *Conn)
	go func() { second <- c.open(pipe(t)) }()
	c.Close()
	select {
	case <-second:
	case <-time.After(time.Minute):
		t.Fatal("it still waits")
	}
}
