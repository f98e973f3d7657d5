package gate

import (
	"container/list"
	"crypto/tls"
	"net"
)

// makeRoom closes a connection; it returns false if none may be closed.
func (c *connections) makeRoom() bool {
	victim := c.victim()
	if victim == nil {
		return false
	}
	c.drop(victim)
	abandon(victim.Conn)
	c.closed()
	return true
}

// victim is the connection to be closed next; nil if none may be closed.
func (c *connections) victim() *connection {
	if heavy := c.heaviest(false); heavy != nil {
		return heavy
	}
	switch {
	case c.known.Len() > 0 && c.fresh.Len()+c.refused.Len() < c.limit/2:
		return longest(&c.known)
	case c.refused.Len() > 0:
		return longest(&c.refused)
	}
	if fresh := c.hadItsChance(); fresh != nil {
		return fresh
	}
	if late := longest(&c.finishing); late != nil && c.now().Sub(late.since) >= chance {
		return late
	}
	return c.heaviest(true)
}

// hadItsChance is the connection that has waited longest of those that could have brought a good token: a request that has
// come, and waits for a processor, has more time. It is nil if there is none.
func (c *connections) hadItsChance() *connection {
	for place := c.fresh.Front(); place != nil; place = place.Next() {
		conn, _ := place.Value.(*connection)
		patience := chance
		if conn.stranger > 0 {
			patience = chanceOfRequest
		}
		if c.now().Sub(conn.opened) >= patience {
			return conn
		}
	}
	return nil
}

// heaviest is the connection with most requests of strangers above the fair share, with a verified caller's beside or
// without; nil if there is none.
func (c *connections) heaviest(verified bool) *connection {
	if c.heavy == 0 {
		return nil
	}
	var heaviest *connection
	for _, conn := range c.all {
		if conn.verified > 0 == verified && conn.load() > fairShare && (heaviest == nil || conn.load() > heaviest.load()) {
			heaviest = conn
		}
	}
	return heaviest
}

// longest is the connection that has waited longest; nil if none waits.
func longest(queue *list.List) *connection {
	front := queue.Front()
	if front == nil {
		return nil
	}
	conn, _ := front.Value.(*connection)
	return conn
}

// abandon closes without a word: saying goodbye over TLS would wait for a client that does not read.
func abandon(conn net.Conn) {
	if secure, isTLS := conn.(*tls.Conn); isTLS {
		conn = secure.NetConn()
	}
	conn.Close()
}
