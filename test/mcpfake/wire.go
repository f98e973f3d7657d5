package mcpfake

import (
	"io"
	"net"
	"net/http"
	"time"
)

const (
	okHead = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
	// fortyBytes are a part of an answer.
	fortyBytes = `{"jsonrpc":"2.0","id":1,"result":{"x":"y`
	emptyBody  = "Content-Length: 2\r\n\r\n{}"
	sshBanner  = "SSH-2.0-OpenSSH_9.2p1\r\n"
)

// wireFaults are the faults of a server that read the request and then breaks the connection, or HTTP.
func wireFaults() []fault {
	return []fault{
		{name: "reset", seen: 1, when: "always", effect: "TCP reset", request: with(reset)},
		{name: "reset-no-token", seen: 1, when: "no-token", effect: "TCP reset", request: with(reset)},
		{name: "reset-malformed", seen: 1, when: "malformed", effect: "TCP reset", request: with(reset)},
		{name: "eof", seen: 3, when: "always", effect: "the connection is closed in order, without a byte", request: sending("")},
		{name: "panic", seen: 9, when: "always", effect: "the handler panics, which net/http makes a close without a byte", request: with(abort)},
		{name: "hang", seen: 5, when: "always", effect: "no answer, as long as the client waits", request: holding("")},
		{name: "head-hang", seen: 5, when: "always", effect: "half a head, then nothing, as long as the client waits", request: holding("HTTP/1.1 200 OK\r\nContent-Ty")},
		{name: "body-hang", seen: 5, when: "always", effect: "200 and 40 of 100 bytes, then nothing, as long as the client waits", request: holding(okHead + "Content-Length: 100\r\n\r\n" + fortyBytes)},
		{name: "drip", argument: "DURATION", seen: 5, when: "always", effect: "200, one byte per DURATION, from the first byte of the head on", request: drip},
		{name: "half", seen: 6, when: "always", effect: "200 with Content-Length 100 and 40 bytes, then the connection is closed", request: sending(okHead + "Content-Length: 100\r\n\r\n" + fortyBytes)},
		{name: "half-chunk", seen: 6, when: "always", effect: "200 and a chunk of 100 bytes that ends after 40, then the connection is closed", request: sending(okHead + "Transfer-Encoding: chunked\r\n\r\n64\r\n" + fortyBytes)},
		{name: "bad-chunk", seen: 31, when: "always", effect: "200 and a chunk whose size is no number", request: sending(okHead + "Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n")},
		{name: "two-lengths", seen: 31, when: "always", effect: "200 with two Content-Length that differ", request: sending(okHead + "Content-Length: 7\r\n" + emptyBody)},
		{name: "twice", seen: 31, when: "always", effect: "two whole answers to one request, 401 and then 200", request: sending("HTTP/1.1 401 Unauthorized\r\n" + emptyBody + okHead + emptyBody)},
		{name: "refuse-reset", seen: 7, when: "always", effect: "a whole 401, then TCP reset", request: with(refuseReset)},
		{name: "garbage", seen: 26, when: "always", effect: "an SSH banner, then the connection is closed", request: sending(sshBanner)},
		{name: "http09", seen: 26, when: "always", effect: "a body without a head, as HTTP/0.9 has it", request: sending("<html>It works!</html>\r\n")},
		{name: "no-continue", seen: 28, when: "always", effect: "a client that expects 100-continue waits in vain; others are answered", request: noContinue},
	}
}

// take takes the connection from net/http. Over HTTP/2 or a recorder there is no connection to take; the request is
// then aborted.
func take(w http.ResponseWriter) net.Conn {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	return conn
}

// hijack takes the connection of a request that was read to its end: bytes left unread would turn an orderly close
// into a reset.
func hijack(w http.ResponseWriter, r *http.Request) net.Conn {
	_, _ = io.Copy(io.Discard, r.Body)
	return take(w)
}

// cutConnection resets a connection.
func cutConnection(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

func reset(w http.ResponseWriter, r *http.Request) { cutConnection(hijack(w, r)) }

func refuseReset(w http.ResponseWriter, r *http.Request) {
	conn := hijack(w, r)
	_, _ = io.WriteString(conn, "HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\n"+emptyBody)
	cutConnection(conn)
}

// abort panics with the value that net/http does not log.
func abort(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	panic(http.ErrAbortHandler)
}

// holding sends something and keeps the connection until the client gives up.
func holding(raw string) func(string) (answerer, error) {
	return with(func(w http.ResponseWriter, r *http.Request) {
		conn := hijack(w, r)
		_, _ = io.WriteString(conn, raw)
		hold(conn)
	})
}

func hold(conn net.Conn) {
	_, _ = io.Copy(io.Discard, conn)
	_ = conn.Close()
}

func drip(argument string) (answerer, error) {
	pause, err := parseDuration(argument)
	return func(w http.ResponseWriter, r *http.Request, _ func(int)) fate {
		conn := hijack(w, r)
		defer func() { _ = conn.Close() }()
		for _, one := range []byte(okHead + emptyBody) {
			if _, err := conn.Write([]byte{one}); err != nil {
				return answered
			}
			<-time.After(pause)
		}
		return answered
	}, err
}

// noContinue must not read the body: that makes net/http send the 100.
func noContinue(string) (answerer, error) {
	return func(w http.ResponseWriter, r *http.Request, _ func(int)) fate {
		if r.Header.Get("Expect") == "" {
			return untouched
		}
		hold(take(w))
		return answered
	}, nil
}
