package mcpfake

import (
	"errors"
	"io"
	"net"
	"net/http"
	"time"
)

// portFaults befall connections to the whole port, /health included, before a request is read. They need Serve: a
// Server that is used as a handler has no port.
func portFaults() []fault {
	return []fault{
		{name: "reset-unread", seen: 2, when: "always", effect: "the connection is closed with the request unread, which the kernel makes a TCP reset", connection: resetUnread},
		{name: "accept-hang", seen: 5, when: "always", effect: "the connection opens; nothing is read and nothing answered, as long as the client waits", connection: acceptHang},
		{name: "banner", seen: 26, when: "always", effect: "an SSH banner before the client said anything", connection: saying(sshBanner)},
		{name: "tls", seen: 26, when: "always", effect: "a TLS alert, as from a port that speaks TLS only", connection: answering("\x15\x03\x01\x00\x02\x02\x46")},
		{name: "h2c", seen: 26, when: "always", effect: "HTTP/2 frames, SETTINGS and GOAWAY, as from a port that speaks nothing else", connection: answering(h2Frames)},
	}
}

// h2Frames are an empty SETTINGS, and GOAWAY with PROTOCOL_ERROR (RFC 9113 sections 6.5 and 6.8).
const h2Frames = "\x00\x00\x00\x04\x00\x00\x00\x00\x00" +
	"\x00\x00\x08\x07\x00\x00\x00\x00\x00" + "\x00\x00\x00\x00" + "\x00\x00\x00\x01"

// faultyListener gives out the connections that no fault takes.
type faultyListener struct {
	net.Listener
	faults []func(net.Conn) bool
}

func (l faultyListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		taken := false
		for _, handle := range l.faults {
			if taken = handle(conn); taken {
				break
			}
		}
		if !taken {
			return conn, nil
		}
	}
}

// resetUnread waits for the request to arrive: only bytes that are there and unread make a close a reset.
func resetUnread(conn net.Conn) {
	_, _ = conn.Read(make([]byte, 1))
	_ = conn.Close()
}

// acceptHang looks every second whether the client has left, by a read that takes one byte at most.
func acceptHang(conn net.Conn) {
	one := make([]byte, 1)
	for {
		_ = conn.SetReadDeadline(time.Now().Add(time.Second))
		var timeout net.Error
		if _, err := conn.Read(one); err != nil && (!errors.As(err, &timeout) || !timeout.Timeout()) {
			_ = conn.Close()
			return
		}
		<-time.After(time.Second)
	}
}

// saying speaks first, and then reads what comes, so that the close is in order.
func saying(raw string) func(net.Conn) {
	return func(conn net.Conn) {
		_, _ = io.WriteString(conn, raw)
		finish(conn)
	}
}

// answering waits for the client to speak first.
func answering(raw string) func(net.Conn) {
	return func(conn net.Conn) {
		_, _ = conn.Read(make([]byte, 4096))
		_, _ = io.WriteString(conn, raw)
		finish(conn)
	}
}

// finish ends this side and waits a while for the other.
func finish(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.CloseWrite()
	}
	_ = conn.SetReadDeadline(time.Now().Add(time.Second))
	_, _ = io.Copy(io.Discard, conn)
	_ = conn.Close()
}

// Serve answers on the listener until Shutdown or Close; it then returns http.ErrServerClosed. Faults of the port and
// those that happen beside a running server happen here only.
func (s *Server) Serve(listener net.Listener) error {
	for _, run := range s.behaviour.beside {
		go run(s.ending, s.options.Exit)
	}
	if len(s.behaviour.onConnection) > 0 {
		listener = faultyListener{listener, s.behaviour.onConnection}
	}
	err := s.http.Serve(listener)
	if !errors.Is(err, http.ErrServerClosed) {
		s.end()
	}
	return err
}
