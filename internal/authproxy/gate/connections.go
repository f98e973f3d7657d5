package gate

import (
	"container/list"
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"sync"
)

// maxWaiting connections may be open without a request in progress: new ones, such as send their header slowly, and
// idle ones. With TLS they take some 40 KiB each.
const maxWaiting = 2048

// connections bounds how many connections wait. Above the limit the one that has waited longest is closed: an idle
// connection may be closed at any time (RFC 9112 section 9.3), while the answer to a request may not be cut off, and a
// newcomer must be able to get through. Requests in progress are bounded by what they wait for.
type connections struct {
	limit  int
	closed func() // called for each that was closed for the limit

	mu      sync.Mutex
	all     map[net.Conn]*connection
	waiting list.List // of *connection, the longest first
}

type connection struct {
	net.Conn

	requests int           // in progress
	place    *list.Element // in waiting; nil while there are requests
}

type connectionKey struct{}

func newConnections(limit int, closed func()) *connections {
	return &connections{limit: limit, closed: closed, all: map[net.Conn]*connection{}}
}

// bound has the server tell of its connections.
func (c *connections) bound(server *http.Server) {
	handler := server.Handler
	server.ConnContext = func(ctx context.Context, conn net.Conn) context.Context {
		return context.WithValue(ctx, connectionKey{}, c.open(conn))
	}
	server.ConnState = func(conn net.Conn, state http.ConnState) {
		if state == http.StateClosed || state == http.StateHijacked {
			c.forget(conn)
		}
	}
	server.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if conn, ours := r.Context().Value(connectionKey{}).(*connection); ours {
			c.begin(conn)
			defer c.end(conn)
		}
		handler.ServeHTTP(w, r)
	})
}

func (c *connections) open(conn net.Conn) *connection {
	c.mu.Lock()
	defer c.mu.Unlock()
	opened := &connection{Conn: conn}
	c.all[conn] = opened
	c.wait(opened)
	return opened
}

func (c *connections) begin(conn *connection) {
	c.mu.Lock()
	defer c.mu.Unlock()
	conn.requests++
	c.leave(conn)
}

func (c *connections) end(conn *connection) {
	c.mu.Lock()
	defer c.mu.Unlock()
	conn.requests--
	if conn.requests == 0 && c.all[conn.Conn] == conn {
		c.wait(conn)
	}
}

func (c *connections) forget(conn net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if known := c.all[conn]; known != nil {
		c.leave(known)
		delete(c.all, conn)
	}
}

// wait needs the lock, as leave does.
func (c *connections) wait(conn *connection) {
	conn.place = c.waiting.PushBack(conn)
	if c.waiting.Len() <= c.limit {
		return
	}
	if longest, ok := c.waiting.Front().Value.(*connection); ok {
		c.leave(longest)
		abandon(longest.Conn)
		c.closed()
	}
}

func (c *connections) leave(conn *connection) {
	if conn.place != nil {
		c.waiting.Remove(conn.place)
		conn.place = nil
	}
}

// abandon closes without a word: saying goodbye over TLS would wait for a client that does not read.
func abandon(conn net.Conn) {
	if secure, isTLS := conn.(*tls.Conn); isTLS {
		conn = secure.NetConn()
	}
	conn.Close()
}
