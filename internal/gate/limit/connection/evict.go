package connection

import (
	"container/list"
	"net"
	"time"
)

// makeRoom closes a connection; it returns false if none may be closed.
func (c *Pool) makeRoom() bool {
	victim := c.victim()
	if victim == nil {
		return false
	}
	if victim.queue == &c.known {
		c.pressed = c.now()
	}
	c.drop(victim)
	abandon(victim.Conn)
	c.closed()
	return true
}

// victim is the connection to be closed next; nil if none may be closed. Requests of strangers must not cost known callers
// their idle connections, whichever connections they came on: a client that asks at that moment gets no answer. So a known
// connection that is in use, with a request in the last second, comes behind all others that wait.
func (c *Pool) victim() *Conn {
	if heavy := c.heaviest(false, fairShare); heavy != nil {
		return heavy
	}
	now := c.now()
	manyKnown := 2*c.known.Len() > c.load-c.finishing.Len()
	if manyKnown {
		if unused := hadItsChance(&c.known, now, 0, chance); unused != nil {
			return unused
		}
	}
	if refused := hadItsChance(&c.refused, now, 0, 0); refused != nil {
		return refused
	}
	if fresh := hadItsChance(&c.fresh, now, chance, 0); fresh != nil {
		return fresh
	}
	if manyKnown {
		if known := hadItsChance(&c.known, now, 0, 0); known != nil {
			return known
		}
	}
	if late := untaken(&c.finishing, now); late != nil {
		return late
	}
	return c.heaviest(true, 1)
}

// hadItsChance is the connection that has waited longest of those that have had their chance; nil if there is none. Without a
// request, that is what it is given from the time it was opened, and unused from that of its last request. The gate may have
// much to do, and not know of a request that has come.
func hadItsChance(queue *list.List, now time.Time, given, unused time.Duration) *Conn {
	left := candidates
	for place := queue.Front(); place != nil && left > 0; place = place.Next() {
		conn, _ := place.Value.(*Conn)
		waited := now.Sub(conn.used())
		if now.Sub(conn.opened) < given || waited < unused {
			continue
		}
		if waited >= chanceOfRequest {
			return conn
		}
		if left--; conn.unjudged == 0 && isAwaited(conn.Conn) {
			return conn
		}
	}
	return nil
}

// used is when a request last began, or one of a verified caller ended: a gate with much to do may take long for it, and the
// client has no sooner asked again.
func (conn *Conn) used() time.Time {
	if conn.since.After(conn.asked) {
		return conn.since
	}
	return conn.asked
}

// heaviest is the connection with most requests of strangers above a share, with a verified caller's beside or without; nil
// if there is none.
func (c *Pool) heaviest(verified bool, share int) *Conn {
	if share >= fairShare && c.heavy == 0 {
		return nil
	}
	var heaviest *Conn
	for _, conn := range c.all {
		if conn.verified > 0 == verified && conn.load() > share && (heaviest == nil || conn.load() > heaviest.load()) {
			heaviest = conn
		}
	}
	return heaviest
}

// untaken is the connection that has waited longest for its client to take the end of an answer; nil if there is none. The gate
// may have much to do, and not have got round to the end of an answer that its client has.
func untaken(finishing *list.List, now time.Time) *Conn {
	left := candidates
	for place := finishing.Front(); place != nil && left > 0; place = place.Next() {
		conn, _ := place.Value.(*Conn)
		waited := now.Sub(conn.since)
		if left--; waited >= chance && isWriting(conn.Conn) || waited >= chanceOfRequest {
			return conn
		}
	}
	return nil
}

// abandon closes without a word: saying goodbye over TLS would wait for a client that does not read.
func abandon(conn net.Conn) { beneathTLS(conn).Close() }
