package connection

import (
	"container/list"
	"net"
	"runtime"
	"time"
)

// Conn is a connection of a Pool. All methods of a nil Conn do nothing.
type Conn struct {
	net.Conn

	pool       *Pool
	opened     time.Time
	asked      time.Time // when the last request began that had none of a stranger beside it
	unverified int       // requests in progress whose caller is not verified
	unjudged   int       // those of them that are not refused yet
	verified   int       // requests in progress whose caller is
	answered   bool
	familiar   bool       // it had a verified caller
	idle       bool       // the server knows of no request in progress; over HTTP/2 a handler may still run
	busy       bool       // an answer to a verified caller may still be on its way
	since      time.Time  // when it became so without a verified request in progress
	ended      time.Time  // when a request last did
	queue      *list.List // the one that it waits in; nil while it may not be closed
	place      *list.Element
	gone       bool
}

// soon is how little time lies between an answer and a request of the same connection that was most likely sent before it.
const soon = time.Millisecond

// Begin counts a request, of which nobody knows yet whose it is. It returns false if its client should not use the
// connection again: known ones are closed for want of room, or will be when their requests end, and a client that asks at
// that moment gets no answer.
//
// A request that was sent before the last answer lets those of other connections pass. Else a connection that always has
// another one would keep its processor for a time slice of the scheduler, some hundred requests, and thousands of them would
// keep everybody waiting for seconds.
func (conn *Conn) Begin() (stays bool) {
	if conn == nil {
		return true
	}
	stays, pipelined := conn.begin()
	if pipelined {
		runtime.Gosched()
	}
	return stays
}

func (conn *Conn) begin() (stays, pipelined bool) {
	c := conn.pool
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	if conn.gone {
		c.leaving++ // Over HTTP/2 it had to wait for others of its connection.
	}
	c.change(conn, func() {
		if conn.unverified == 0 {
			conn.asked = now
		}
		conn.unverified++
		conn.unjudged++
	})
	return now.Sub(c.pressed) >= chance && !c.hasTooManyKnown(), now.Sub(conn.ended) < soon
}

// Admit is for a request that has begun, when its caller is verified.
func (conn *Conn) Admit() {
	if conn == nil {
		return
	}
	conn.pool.mu.Lock()
	defer conn.pool.mu.Unlock()
	conn.pool.change(conn, func() {
		conn.unverified--
		conn.unjudged--
		conn.verified++
		conn.familiar, conn.busy = true, true
	})
}

// Refuse is for a request that has begun, when it is judged, and its client may still be sending.
func (conn *Conn) Refuse() {
	if conn == nil {
		return
	}
	conn.pool.mu.Lock()
	defer conn.pool.mu.Unlock()
	conn.unjudged = max(0, conn.unjudged-1)
}

// End is for a request that has begun; admitted reports whether Admit was called for it.
func (conn *Conn) End(admitted bool) {
	if conn == nil {
		return
	}
	conn.pool.mu.Lock()
	defer conn.pool.mu.Unlock()
	if conn.gone {
		conn.pool.leaving--
		conn.pool.room.Signal()
		return
	}
	conn.ended = conn.pool.now()
	conn.pool.change(conn, func() {
		if admitted {
			conn.verified--
			conn.busy = conn.verified > 0 || !conn.idle
			conn.since = conn.ended
		} else {
			conn.unverified--
			conn.unjudged = min(conn.unjudged, conn.unverified)
			conn.answered = true
		}
	})
}

// load is what a connection counts for. One whose client does not read the end of an answer counts as one that waits.
func (conn *Conn) load() int {
	switch {
	case conn.gone:
		return 0
	case conn.verified > 0:
		return conn.unverified
	default:
		return max(1, conn.unverified)
	}
}
