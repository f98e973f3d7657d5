package upstream

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/deny"
)

const dialTimeout = 5 * time.Second

// Trail is what the connection showed during one exchange. Failures are named by it: the errors that net/http makes of
// them depend on which of its goroutines noticed first. The zero value is ready for use, by one exchange.
type Trail struct {
	mu      sync.Mutex
	dialed  error
	read    error
	written error
	any     bool // at least one byte came
	late    bool // the answer did not begin in time
	reused  bool // the connection had served before
	upgrade bool // the server switched protocols
}

// Kind names how the exchange failed.
func (t *Trail) Kind() deny.Reason {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.late, isTimeout(t.dialed), isTimeout(t.read), isTimeout(t.written):
		return deny.UpstreamTimeout
	case t.upgrade:
		return deny.UpstreamUpgrade
	case errors.Is(t.dialed, syscall.ECONNREFUSED):
		return deny.UpstreamRefused
	case isReset(t.dialed): // A server can reset so early that connecting fails with it.
		return deny.UpstreamReset
	case t.dialed != nil:
		return deny.UpstreamUnreachable
	case t.reused && !t.any, isReset(t.read), t.read == nil && isReset(t.written), errors.Is(t.read, io.EOF) && isReset(t.written):
		return deny.UpstreamReset
	case errors.Is(t.read, io.EOF):
		return deny.UpstreamClosed
	case t.any:
		return deny.UpstreamNotHTTP
	default:
		return deny.UpstreamUnreachable
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
	return t.reused && !t.any && !isTimeout(t.read)
}

func (t *Trail) failedToWrite() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.written != nil
}

// dial connects to the server, and leaves a trail.
func dial(ctx context.Context, address string, trail *Trail) (net.Conn, error) {
	dialer := net.Dialer{Timeout: dialTimeout}
	conn, err := dialer.DialContext(ctx, "tcp", address)
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

func (c *witness) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.trail.mu.Lock()
	defer c.trail.mu.Unlock()
	c.trail.any = c.trail.any || n > 0
	if err != nil && c.trail.read == nil {
		c.trail.read = err
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
