package gate

import (
	"container/list"
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"sync"
)

// fairShare is how many requests of a caller who is not verified one connection may have in progress before it is the
// first to be closed. Over HTTP/1.1 there is one at most.
const fairShare = 16

// connections bounds how many connections wait: those that have no request of a verified caller in progress, because
// they are new, idle, slow, or refused. Over HTTP/2 each request of a caller who is not verified counts as one more.
//
// Above the limit one of them is closed: an idle connection may be closed at any time (RFC 9112 section 9.3), while the
// answer to a verified caller may not be cut off, and a newcomer must be able to get through. It is the one with most
// requests if that is more than its fair share; else the one that waits longest: of those that never had a verified
// caller, if these are more than half, and else of the others. So neither kind can take all places.
type connections struct {
	limit  int
	closed func() // called for each that was closed for the limit

	mu    sync.Mutex
	all   map[net.Conn]*connection
	load  int // the sum of what all count for
	heavy int // how many have more than their fair share
	// strangers and known hold the connections without a verified request in progress, the longest waiting first.
	strangers, known list.List
}

type connection struct {
	net.Conn

	pool     *connections
	stranger int // requests in progress whose caller is not verified
	verified int // requests in progress whose caller is
	familiar bool
	busy     bool       // an answer to a verified caller may still be on its way
	queue    *list.List // the one that it waits in; nil while it may not be closed
	place    *list.Element
	gone     bool
}

type connectionKey struct{}

func newConnections(limit int, closed func()) *connections {
	return &connections{limit: limit, closed: closed, all: map[net.Conn]*connection{}}
}

// bound has the server report its connections. Its handler reports the requests, by connectionOf.
func (c *connections) bound(server *http.Server) {
	server.ConnContext = func(ctx context.Context, conn net.Conn) context.Context {
		return context.WithValue(ctx, connectionKey{}, c.open(conn))
	}
	server.ConnState = func(conn net.Conn, state http.ConnState) {
		switch state {
		case http.StateIdle:
			c.idle(conn)
		case http.StateClosed, http.StateHijacked:
			c.forget(conn)
		case http.StateNew, http.StateActive: // What matters of these is whose request it is.
		}
	}
}

// connectionOf returns the connection of a request; nil, of which all methods do nothing, if its server is not bounded.
func connectionOf(r *http.Request) *connection {
	conn, _ := r.Context().Value(connectionKey{}).(*connection)
	return conn
}

func (c *connections) open(conn net.Conn) *connection {
	c.mu.Lock()
	defer c.mu.Unlock()
	opened := &connection{Conn: conn, pool: c}
	c.all[conn] = opened
	c.change(opened, func() {})
	return opened
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
		} else {
			conn.stranger--
		}
	})
}

// idle is for a connection on which all answers have been sent: a handler ends before that.
func (c *connections) idle(conn net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if known := c.all[conn]; known != nil && known.busy {
		c.change(known, func() { known.busy = known.verified > 0 })
	}
}

// waits reports whether the connection may be closed.
func (conn *connection) waits() bool { return conn.verified == 0 && !conn.busy }

// load is what a connection counts for.
func (conn *connection) load() int {
	switch {
	case conn.gone:
		return 0
	case !conn.waits():
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
	before, wasNew := conn.load(), conn.queue == nil && conn.waits()
	if wasNew {
		before = 0
	}
	do()
	c.recount(conn, before, conn.load())
	c.enqueue(conn)
	for c.load > c.limit {
		victim := c.victim()
		if victim == nil {
			return
		}
		c.drop(victim)
		abandon(victim.Conn)
		c.closed()
	}
}

func (c *connections) recount(conn *connection, before, after int) {
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
	queue := &c.strangers
	switch {
	case !conn.waits():
		queue = nil
	case conn.familiar:
		queue = &c.known
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
	c.recount(conn, before, 0)
	c.dequeue(conn)
	delete(c.all, conn.Conn)
}

// victim is the connection to be closed next; nil if no connection may be closed.
func (c *connections) victim() *connection {
	if c.heavy > 0 {
		var heaviest *connection
		for _, conn := range c.all {
			if conn.load() > fairShare && (heaviest == nil || conn.load() > heaviest.load()) {
				heaviest = conn
			}
		}
		return heaviest
	}
	queue := &c.strangers
	if c.strangers.Len() <= c.limit/2 && c.known.Len() > 0 {
		queue = &c.known
	}
	if front := queue.Front(); front != nil {
		conn, _ := front.Value.(*connection)
		return conn
	}
	return nil
}

// crowded reports whether so many wait that nobody should be waited for.
func (c *connections) crowded() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.load > c.limit/2
}

// abandon closes without a word: saying goodbye over TLS would wait for a client that does not read.
func abandon(conn net.Conn) {
	if secure, isTLS := conn.(*tls.Conn); isTLS {
		conn = secure.NetConn()
	}
	conn.Close()
}
