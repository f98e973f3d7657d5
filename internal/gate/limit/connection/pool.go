package connection

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
	// chanceOfRequest is how long a request has at least to be read and judged. A gate is that late only if it has much more to
	// do than it can: then the next connections wait.
	chanceOfRequest = 15 * time.Second
	// candidates are how many are looked at, at most, to find one that waits for its client.
	candidates = 64
)

// Pool bounds how many connections wait: those that have no request of a verified caller in progress, because
// they are new, idle, slow, or refused. Over HTTP/2 each request of a caller who is not verified counts as one more.
//
// At the limit a new one takes the place of another: an idle connection may be closed at any time (RFC 9112 section 9.3),
// while the answer to a verified caller may not be cut off. It is the one with most requests if that is more than its fair
// share; else one that waits, the longest first: of those that had a verified caller before, if these are more than half;
// else of those that were refused; else of the new ones. A new one has a chance before, and a request has one to be read and
// judged. Last comes the one with most requests beside a verified caller's. If there is none, the new one waits until there
// is, and its client in the kernel's queue.
type Pool struct {
	limit  int
	closed func() // called for each that was closed for the limit
	now    func() time.Time

	mu     sync.Mutex
	room   *sync.Cond // told when there may be some
	all    map[net.Conn]*Conn
	ending bool // nobody waits for room any more: the server has to stop
	load   int  // the sum of what all count for
	// leaving is how many requests are still in progress whose connection is closed.
	leaving int
	// pressed is when one that had a verified caller was closed last to make room.
	pressed time.Time
	heavy   int // how many have more than their fair share
	// fresh, refused and known hold the connections that wait, the longest first: nobody has seen a token of the fresh
	// ones, the refused ones had no good one, and the known ones had.
	fresh, refused, known list.List
	// finishing: the end of an answer to a verified caller has not been taken by its client.
	finishing list.List
}

type contextKey struct{}

// New returns a Pool that closes connections beyond limit, and calls closed for each.
func New(limit int, closed func()) *Pool {
	c := &Pool{limit: limit, closed: closed, now: time.Now, all: map[net.Conn]*Conn{}}
	c.room = sync.NewCond(&c.mu)
	return c
}

// Serve has the server report its connections. The server's handler must report the requests; see Of.
func (c *Pool) Serve(server *http.Server) {
	server.ConnContext = func(ctx context.Context, conn net.Conn) context.Context {
		return context.WithValue(ctx, contextKey{}, c.open(conn))
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

// Of returns the connection of a request; nil if its server does not report to a Pool.
func Of(r *http.Request) *Conn {
	conn, _ := r.Context().Value(contextKey{}).(*Conn)
	return conn
}

// open is called by the server before it takes the next connection: whoever waits here has those wait, too.
func (c *Pool) open(conn net.Conn) *Conn {
	c.mu.Lock()
	defer c.mu.Unlock()
	for !c.ending && (c.leaving >= c.limit || c.load >= c.limit && !c.makeRoom()) {
		wake := time.AfterFunc(chance/10, c.room.Broadcast) // Time passes without being told.
		c.room.Wait()
		wake.Stop()
	}
	now := c.now()
	opened := &Conn{Conn: conn, pool: c, opened: now, asked: now}
	c.all[conn] = opened
	c.change(opened, func() {})
	return opened
}

// Close lets who waits for room in: package net/http waits for its loop before it stops, without a limit.
func (c *Pool) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ending = true
	c.room.Broadcast()
}

func (c *Pool) forget(conn net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if known := c.all[conn]; known != nil {
		c.drop(known)
	}
}

// hasTooManyKnown reports whether more connections are open than may wait, and more than half of these had a verified caller.
func (c *Pool) hasTooManyKnown() bool {
	known := len(c.all) - c.fresh.Len() - c.refused.Len()
	return len(c.all) > c.limit && 2*known > c.limit
}

// setIdle is for what the server reports: idle means that all answers have been sent, or given up. Over HTTP/1.1 the handler
// has ended by then; over HTTP/2 that of a request which its client has reset has not.
func (c *Pool) setIdle(conn net.Conn, idle bool) {
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

// change needs the lock, as do all below.
func (c *Pool) change(conn *Conn, do func()) {
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

func (c *Pool) recount(before, after int) {
	c.load += after - before
	if before <= fairShare && after > fairShare {
		c.heavy++
	}
	if before > fairShare && after <= fairShare {
		c.heavy--
	}
}

// enqueue puts a connection that begins to wait, or waits anew, behind all others of its kind.
func (c *Pool) enqueue(conn *Conn) {
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
	if queue == conn.queue && conn.unverified > 0 {
		return // It waits on: a request that begins gives it no more time.
	}
	c.dequeue(conn)
	if conn.queue = queue; queue != nil {
		conn.place = queue.PushBack(conn)
	}
}

func (c *Pool) dequeue(conn *Conn) {
	if conn.queue != nil {
		conn.queue.Remove(conn.place)
		conn.queue, conn.place = nil, nil
	}
}

// drop takes a connection out of all accounts. Its requests may go on for a while.
func (c *Pool) drop(conn *Conn) {
	before := conn.load()
	conn.gone = true
	c.leaving += conn.unverified + conn.verified
	c.recount(before, 0)
	c.dequeue(conn)
	delete(c.all, conn.Conn)
	c.room.Signal()
}

// Crowded reports whether so many wait that nobody should be waited for.
func (c *Pool) Crowded() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.load > c.limit/2
}
