package wire

import (
	"io"
	"net/http"
	"time"
)

// drainPatience is how long a server may take to end a stream after it has answered, so that the next request can
// follow on the same connection.
const drainPatience = time.Second

// Connection is one that is kept for several requests.
type Connection struct {
	sender    *Sender
	transport *http.Transport
	recorder  *recorder
}

// Keep makes a connection that opens at its first request.
func (s *Sender) Keep() *Connection {
	out := &Connection{sender: s, recorder: &recorder{}}
	out.transport = s.transport(out.recorder)
	out.transport.MaxConnsPerHost = 1
	return out
}

// Send makes one request and reads the answer, and what follows it.
func (k *Connection) Send(request *http.Request, id string) Answer {
	k.recorder.note(func(e *trace) { *e = trace{connected: e.connected, dials: e.dials} })
	return k.sender.exchange(k.transport.RoundTrip, k.recorder, request, func(response *http.Response) ([]byte, bool) {
		body, complete := readBody(response, id)
		finish(response.Body)
		return body, complete
	})
}

// Severed reports whether the peer closed the connection between two answers, as it may: another took its place.
func (k *Connection) Severed() bool { return k.recorder.trace().dials > 1 }

// Close closes it.
func (k *Connection) Close() { k.transport.CloseIdleConnections() }

// finish reads what is left of a body, so that the next request can follow on the connection.
func finish(body io.ReadCloser) {
	late := time.AfterFunc(drainPatience, func() { _ = body.Close() })
	defer late.Stop()
	_, _ = io.CopyN(io.Discard, body, maxResultBytes)
}
