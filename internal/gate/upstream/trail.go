package upstream

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/upstream/loopback"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

const dialTimeout = 5 * time.Second

// Trail is what the connection showed during one exchange. Failures are named by it: the errors that net/http makes of
// them depend on which of its goroutines noticed first. The zero value is ready for use, by one exchange.
type Trail struct {
	mu      sync.Mutex
	dialed  error
	read    error
	written error
	begin   [len(beginHTTP)]byte // the first bytes that came
	begun   int                  // how many of them there are
	late    bool                 // the answer did not begin in time
	reused  bool                 // the connection had served before
	upgrade bool                 // the server switched protocols
}

// Kind names how the exchange failed.
func (t *Trail) Kind() gateapi.Reason {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case !t.mayBeHTTP(): // However it ended: TLS, HTTP/2 and the like close when they do not understand us.
		return gateapi.ReasonUpstreamNotHTTP
	case t.late, isTimeout(t.dialed), isTimeout(t.read), isTimeout(t.written):
		return gateapi.ReasonUpstreamTimeout
	case t.upgrade:
		return gateapi.ReasonUpstreamUpgrade
	case errors.Is(t.dialed, syscall.ECONNREFUSED):
		return gateapi.ReasonUpstreamRefused
	case isReset(t.dialed): // A server can reset so early that connecting fails with it.
		return gateapi.ReasonUpstreamReset
	case t.dialed != nil:
		return gateapi.ReasonUpstreamUnreachable
	case t.wasReset():
		return gateapi.ReasonUpstreamReset
	case errors.Is(t.read, io.EOF):
		return gateapi.ReasonUpstreamClosed
	case t.begun > 0:
		return gateapi.ReasonUpstreamNotHTTP
	default:
		return gateapi.ReasonUpstreamUnreachable
	}
}

// wasReset needs the lock.
func (t *Trail) wasReset() bool {
	return t.reused && t.begun == 0 || isReset(t.read) || isReset(t.written) && (t.read == nil || errors.Is(t.read, io.EOF))
}

// beginHTTP is how every answer of HTTP/1 begins (RFC 9112 section 4).
const beginHTTP = "HTTP/"

// mayBeHTTP tells that what came so far is, or may become, an answer of HTTP/1. It needs the lock, as came does.
func (t *Trail) mayBeHTTP() bool { return strings.HasPrefix(beginHTTP, string(t.begin[:t.begun])) }

func (t *Trail) isForeign() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return !t.mayBeHTTP()
}

// came keeps how the answer begins, and the first error.
func (t *Trail) came(data []byte, err error) {
	t.begun += copy(t.begin[t.begun:], data)
	if err != nil && t.read == nil {
		t.read = err
	}
}

// note changes the trail.
func (t *Trail) note(change func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	change()
}

// diedWaiting: the connection had served before, and ended without a byte of this answer.
func (t *Trail) diedWaiting() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.reused && t.begun == 0 && !isTimeout(t.read)
}

func (t *Trail) failedToWrite() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.written != nil
}

// dial connects to the server, and leaves a trail.
func dial(ctx context.Context, address string, trail *Trail) (net.Conn, error) {
	conn, err := loopback.Dial(ctx, &net.Dialer{Timeout: dialTimeout}, address)
	if err != nil {
		trail.note(func() { trail.dialed = err })
	}
	return conn, err
}

// witness is a connection that leaves a trail.
type witness struct {
	net.Conn

	trail *Trail
}

// Read gives nothing of what is no HTTP, and does not wait for more of it: there may be none, nor an end.
func (c *witness) Read(p []byte) (int, error) {
	if c.trail.isForeign() {
		return 0, errNotHTTP
	}
	n, err := c.Conn.Read(p)
	c.trail.note(func() { c.trail.came(p[:n], err) })
	if c.trail.isForeign() {
		return 0, errNotHTTP
	}
	return n, err
}

// Write claims success where the server no longer reads: it may have answered early and closed, and what it said is
// worth more than what we could not say. If it said nothing, Read will tell.
func (c *witness) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	if err == nil {
		return n, nil
	}
	c.trail.mu.Lock()
	defer c.trail.mu.Unlock()
	if c.trail.written == nil {
		c.trail.written = err
	}
	if isReset(err) {
		return len(p), nil
	}
	return n, err
}

func isReset(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

func isTimeout(err error) bool {
	return errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded)
}
