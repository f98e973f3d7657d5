package gate

import (
	"container/list"
	"context"
	"net"
	"net/http"
	"sync"
	"time"
)

const (
	// fairShare is how many requests of a caller who is not verified one connection may have in progress before it is the
	// first to be closed. Over HTTP/1.1 there is one at most.
	fairShare = 16
	// chance is how long a new connection has at least to bring a good token.
	chance = time.Second
	// chanceOfRequest is that of one whose request is being judged.
	chanceOfRequest = 5 * time.Second
)

// connections bounds how many connections wait: those that have no request of a verified caller in progress, because
// they are new, idle, slow, or refused. Over HTTP/2 each request of a caller who is not verified counts as one more.
//
// At the limit a new one takes the place of another: an idle connection may be closed at any time (RFC 9112 section 9.3),
// while the answer to a verified caller may not be cut off. It is the one with most requests if that is more than its fair
// share; else one that waits, the longest first: of those that had a verified caller before, if these are more than half;
// else of those that were refused; else of those that have had their chance. If there is none, the new one waits until
// there is, and its client in the kernel's queue.
type connections struct {
	limit  int
	closed func() // called for each that was closed for the limit
	now    func() time.Time

	mu     sync.Mutex
	room   *sync.Cond // told when there may be some
	all    map[net.Conn]*connection
	ending bool // nobody waits for room any more: the server has to stop
	load   int  // the sum of what all count for
	heavy  int  // how many have more than their fair share
	// fresh, refused and known hold the connections that wait, the longest first: nobody has seen a token of the fresh
	// ones, the refused ones had no good one, and the known ones had.
	fresh, refused, known list.List
	// finishing: the end of an answer to a verified caller has not been taken by its client.
	finishing list.List
}

type connection struct {
	net.Conn

	pool     *connections
	opened   time.Time
	stranger int // requests in progress whose caller is not verified
	verified int // requests in progress whose caller is
	answered bool
	familiar bool       // it had a verified caller
	idle     bool       // the server knows of no request in progress; over HTTP/2 a handler may still run
	busy     bool       // an answer to a verified caller may still be on its way
	since    time.Time  // when it became so without a verified request in progress
	queue    *list.List // the one that it waits in; nil while it may not be closed
	place    *list.Element
	gone     bool
}

type connectionKey struct{}

func newConnections(limit int, closed func()) *connections {
	c := &connections{limit: limit, closed: closed, now: time.Now, all: map[net.Conn]*connection{}}
	c.room = sync.NewCond(&c.mu)
	return c
}

// bound has the server report its connections. Its handler reports the requests, by connectionOf.
func (c *connections) bound(server *http.Server) {
	server.ConnContext = func(ctx context.Context, conn net.Conn) context.Context {
		return context.WithValue(ctx, connectionKey{}, c.open(conn))
	}
	server.ConnState = func(conn net.Conn, state http.ConnState) {
		switch state {
		case http.StateActive:
			c.setIdle(conn, false)
		case http.StateIdle:
			c.setIdle(conn, true)
		case http.StateClosed, http.StateHijacked:
			c.forget(conn)
		case http.StateNew: // It was opened already.
		}
	}
}

// connectionOf returns the connection of a request; nil, of which all methods do nothing, if its server is not bounded.
func connectionOf(r *http.Request) *connection {
	conn, _ := r.Context().Value(connectionKey{}).(*connection)
	return conn
}

// open is called by the server before it takes the next connection: whoever waits here has those wait, too.
func (c *connections) open(conn net.Conn) *connection {
	c.mu.Lock()
	defer c.mu.Unlock()
	for !c.ending && c.load >= c.limit && !c.makeRoom() {
		wake := time.AfterFunc(chance/10, c.room.Broadcast) // Time passes without being told.
		c.room.Wait()
		wake.Stop()
	}
	opened := &connection{Conn: conn, pool: c, opened: c.now()}
	c.all[conn] = opened
	c.change(opened, func() {})
	return opened
}

// end lets who waits for room in: package net/http waits for its loop before it stops, without a limit.
func (c *connections) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ending = true
	c.room.Broadcast()
}

func (c *connections) forget(conn net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if known := c.all[conn]; known != nil {
		c.drop(known)
	}
}

// begin counts a request, of which nobody knows yet whose it is.
func (conn *connection) begin() {
	if conn == nil {
		return
	}
	conn.pool.mu.Lock()
	defer conn.pool.mu.Unlock()
	conn.pool.change(conn, func() { conn.stranger++ })
}

// admit is for a request that has begun, when its caller is verified.
func (conn *connection) admit() {
	if conn == nil {
		return
	}
	conn.pool.mu.Lock()
	defer conn.pool.mu.Unlock()
	conn.pool.change(conn, func() {
		conn.stranger--
		conn.verified++
		conn.familiar, conn.busy = true, true
	})
}

// recognize is for a request that has begun, whose caller is verified and for whom there was no room.
func (conn *connection) recognize() {
	if conn == nil {
		return
	}
	conn.pool.mu.Lock()
	defer conn.pool.mu.Unlock()
	conn.pool.change(conn, func() { conn.familiar = true })
}

// end is for a request that has begun; admitted reports whether admit was called for it.
func (conn *connection) end(admitted bool) {
	if conn == nil {
		return
	}
	conn.pool.mu.Lock()
	defer conn.pool.mu.Unlock()
	conn.pool.change(conn, func() {
		if admitted {
			conn.verified--
			conn.busy = conn.verified > 0 || !conn.idle
			conn.since = conn.pool.now()
		} else {
			conn.stranger--
			conn.answered = true
		}
	})
}

// setIdle is for what the server reports: idle means that all answers have been sent, or given up. Over HTTP/1.1 the handler
// has ended by then; over HTTP/2 that of a request which its client has reset has not.
func (c *connections) setIdle(conn net.Conn, idle bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	known := c.all[conn]
	if known == nil {
		return
	}
	known.idle = idle
	if idle && known.busy {
		c.change(known, func() { known.busy = known.verified > 0 })
	}
}

// load is what a connection counts for. One whose client does not read the end of an answer counts as one that waits.
func (conn *connection) load() int {
	switch {
	case conn.gone:
		return 0
	case conn.verified > 0:
		return conn.stranger
	default:
		return max(1, conn.stranger)
	}
}

// change needs the lock, as do all below.
func (c *connections) change(conn *connection, do func()) {
	if conn.gone {
		return
	}
	// A new one counts for nothing before it waits.
	before, wasNew := conn.load(), conn.queue == nil && conn.verified == 0
	if wasNew {
		before = 0
	}
	do()
	c.recount(before, conn.load())
	c.enqueue(conn)
	for c.load > c.limit && c.makeRoom() {
		continue
	}
	if c.load < c.limit {
		c.room.Signal()
	}
}

func (c *connections) recount(before, after int) {
	c.load += after - before
	if before <= fairShare && after > fairShare {
		c.heavy++
	}
	if before > fairShare && after <= fairShare {
		c.heavy--
	}
}

// enqueue puts a connection that begins to wait, or waits anew, behind all others of its kind.
func (c *connections) enqueue(conn *connection) {
	queue := &c.fresh
	switch {
	case conn.verified > 0:
		queue = nil
	case conn.busy:
		queue = &c.finishing
	case conn.familiar:
		queue = &c.known
	case conn.answered:
		queue = &c.refused
	}
	if queue == conn.queue && conn.stranger > 0 {
		return // It waits on: a request that begins gives it no more time.
	}
	c.dequeue(conn)
	if conn.queue = queue; queue != nil {
		conn.place = queue.PushBack(conn)
	}
}

func (c *connections) dequeue(conn *connection) {
	if conn.queue != nil {
		conn.queue.Remove(conn.place)
		conn.queue, conn.place = nil, nil
	}
}

// drop takes a connection out of all accounts. Its requests may go on for a while.
func (c *connections) drop(conn *connection) {
	before := conn.load()
	conn.gone = true
	c.recount(before, 0)
	c.dequeue(conn)
	delete(c.all, conn.Conn)
	c.room.Signal()
}

// crowded reports whether so many wait that nobody should be waited for.
func (c *connections) crowded() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.load > c.limit/2
}
