package connection

import (
	"crypto/tls"
	"net"
	"sync/atomic"
	"syscall"
)

// Listener accepts connections that know whether the gate waits for their clients.
type Listener struct{ net.Listener }

// Accept implements net.Listener.
func (l Listener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &watchedConn{Conn: conn}, nil
}

// watchedConn is a connection that knows whether the gate waits for its client, or the client for the gate.
type watchedConn struct {
	net.Conn

	reading, writing atomic.Bool
}

func (a *watchedConn) Read(into []byte) (int, error) {
	a.reading.Store(true)
	defer a.reading.Store(false)
	return a.Conn.Read(into)
}

func (a *watchedConn) Write(from []byte) (int, error) {
	a.writing.Store(true)
	defer a.writing.Store(false)
	return a.Conn.Write(from)
}

// CloseWrite is what package net/http ends a connection with whose client may still be sending: else the client's system
// would drop the answer.
func (a *watchedConn) CloseWrite() error {
	if conn, can := a.Conn.(interface{ CloseWrite() error }); can {
		return conn.CloseWrite()
	}
	return nil
}

// isAwaited reports whether the gate waits for the client: it reads, and nothing has come. Else it has what it did not get
// round to yet. One of another kind is always awaited.
func isAwaited(conn net.Conn) bool {
	watched := watchedOf(conn)
	return watched == nil || watched.reading.Load() && !hasUnread(watched.Conn)
}

// isWriting reports whether the client does not take what the gate sends. One of another kind is always being written to.
func isWriting(conn net.Conn) bool {
	watched := watchedOf(conn)
	return watched == nil || watched.writing.Load()
}

// watchedOf is nil for a connection of another kind.
func watchedOf(conn net.Conn) *watchedConn {
	watched, _ := beneathTLS(conn).(*watchedConn)
	return watched
}

func beneathTLS(conn net.Conn) net.Conn {
	if secure, isTLS := conn.(*tls.Conn); isTLS {
		return secure.NetConn()
	}
	return conn
}

// hasUnread reports whether the kernel has bytes of the client that nobody has read yet.
func hasUnread(conn net.Conn) bool {
	socket, isSocket := conn.(syscall.Conn)
	if !isSocket {
		return false
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return false
	}
	unread := 0
	err = raw.Control(func(fd uintptr) {
		unread, _, _ = syscall.Recvfrom(int(fd), make([]byte, 1), syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
	})
	return err == nil && unread > 0
}
