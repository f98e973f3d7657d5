package mcpfake

import (
	"io"
	"net"
	"net/http"
)

// hijack takes the connection of a request that was read to its end: bytes left unread would turn an orderly close
// into a reset. Over HTTP/2 or a recorder there is no connection to take; the request is then aborted.
func hijack(w http.ResponseWriter, r *http.Request) net.Conn {
	_, _ = io.Copy(io.Discard, r.Body)
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	return conn
}

func reset(w http.ResponseWriter, r *http.Request, _ func(int)) {
	conn := hijack(w, r)
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

func closeInOrder(w http.ResponseWriter, r *http.Request, _ func(int)) {
	_ = hijack(w, r).Close()
}

func garbage(w http.ResponseWriter, r *http.Request, _ func(int)) {
	conn := hijack(w, r)
	_, _ = io.WriteString(conn, "SSH-2.0-OpenSSH_9.2p1\r\n")
	_ = conn.Close()
}

func half(w http.ResponseWriter, r *http.Request, _ func(int)) {
	conn := hijack(w, r)
	_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n"+
		`{"jsonrpc":"2.0","id":1,"result":{"x":"y`)
	_ = conn.Close()
}

// hang keeps the connection until the client gives up.
func hang(w http.ResponseWriter, r *http.Request, _ func(int)) {
	conn := hijack(w, r)
	_, _ = io.Copy(io.Discard, conn)
	_ = conn.Close()
}
