package admin

import (
	"container/list"
	"net"
	"net/netip"
	"sync"
)

// How many connections the admin port keeps open. A connection serves one request at a time (HTTP/1.1), so this bounds the
// requests in progress as well. The kubelet, the operator and a scraper need fewer than ten each.
const (
	maxConnections          = 128
	maxConnectionsPerSource = 16
)

// Bound limits how many accepted connections are open at once: maxConnectionsPerSource of one address, maxConnections of
// all. Above a limit it closes the oldest connection of the source that has the most, never the new one: one address
// cannot keep the kubelet out, whose failed liveness probes would restart the gate.
func Bound(listener net.Listener) net.Listener {
	return newBounded(listener, maxConnections, maxConnectionsPerSource)
}

type bounded struct {
	net.Listener

	limit, perSource int

	mu   sync.Mutex
	open int
	// sources have the open connections of each address, the oldest first.
	sources map[netip.Addr]*list.List
}

func newBounded(listener net.Listener, limit, perSource int) *bounded {
	return &bounded{Listener: listener, limit: limit, perSource: perSource, sources: map[netip.Addr]*list.List{}}
}

// Accept waits for the next connection.
func (b *bounded) Accept() (net.Conn, error) {
	conn, err := b.Listener.Accept()
	if err != nil {
		return nil, err
	}
	accepted, evicted := b.add(conn)
	if evicted != nil {
		evicted.Close()
	}
	return accepted, nil
}

// add returns the connection as it is to be used, and one to be closed for it, or nil.
func (b *bounded) add(conn net.Conn) (accepted, evicted *boundedConn) {
	b.mu.Lock()
	defer b.mu.Unlock()
	accepted = &boundedConn{Conn: conn, owner: b, source: sourceOf(conn)}
	if b.sources[accepted.source] == nil {
		b.sources[accepted.source] = list.New()
	}
	accepted.place = b.sources[accepted.source].PushBack(accepted)
	b.open++
	switch {
	case b.sources[accepted.source].Len() > b.perSource:
		evicted = oldest(b.sources[accepted.source])
	case b.open > b.limit:
		evicted = oldest(b.largest())
	}
	if evicted != nil {
		b.remove(evicted)
	}
	return accepted, evicted
}

// largest returns the connections of the source that has the most.
func (b *bounded) largest() (most *list.List) {
	for _, connections := range b.sources {
		if most == nil || connections.Len() > most.Len() {
			most = connections
		}
	}
	return most
}

func oldest(connections *list.List) *boundedConn {
	conn, _ := connections.Front().Value.(*boundedConn) // Nothing else is ever put there.
	return conn
}

// remove forgets a connection, once; the lock is held.
func (b *bounded) remove(conn *boundedConn) {
	if conn.place == nil {
		return
	}
	connections := b.sources[conn.source]
	connections.Remove(conn.place)
	conn.place = nil
	b.open--
	if connections.Len() == 0 {
		delete(b.sources, conn.source)
	}
}

type boundedConn struct {
	net.Conn

	owner  *bounded
	source netip.Addr
	place  *list.Element // nil once it does not count any more
}

// Close makes room for another connection.
func (c *boundedConn) Close() error {
	c.owner.mu.Lock()
	c.owner.remove(c)
	c.owner.mu.Unlock()
	return c.Conn.Close()
}

// CloseWrite lets package net/http say goodbye to who still sends, without a reset.
func (c *boundedConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// sourceOf is the peer's address; all connections without one count as those of one source.
func sourceOf(conn net.Conn) netip.Addr {
	if peer, ok := conn.RemoteAddr().(*net.TCPAddr); ok {
		return peer.AddrPort().Addr().Unmap()
	}
	return netip.Addr{}
}
