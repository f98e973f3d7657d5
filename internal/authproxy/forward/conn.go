package forward

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"

	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/deny"
)

// evidence is what the connection to the server itself showed. Failures are named by it: the errors that net/http
// makes of them depend on which of its goroutines noticed first.
type evidence struct {
	mu      sync.Mutex
	dialed  error
	read    error
	written error
	any     bool // at least one byte came
}

type evidenceKey struct{}

// dial connects and leaves a trail in the context's evidence. Without keep-alive each exchange has a connection of its
// own.
func dial(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := net.Dialer{Timeout: dialTimeout}
	conn, err := dialer.DialContext(ctx, network, address)
	trail, _ := ctx.Value(evidenceKey{}).(*evidence)
	if trail == nil {
		return conn, err
	}
	if err != nil {
		trail.mu.Lock()
		defer trail.mu.Unlock()
		trail.dialed = err
		return nil, err
	}
	return &witness{Conn: conn, trail: trail}, nil
}

// witness is a connection that remembers how it failed.
type witness struct {
	net.Conn

	trail *evidence
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

// kind names how the exchange failed.
func (e *evidence) kind() deny.Reason {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case errors.Is(e.dialed, syscall.ECONNREFUSED):
		return deny.UpstreamRefused
	case isReset(e.dialed): // A server can reset so early that connecting fails with it.
		return deny.UpstreamReset
	case isTimeout(e.dialed):
		return deny.UpstreamTimeout
	case e.dialed != nil:
		return deny.UpstreamUnreachable
	case isReset(e.read), e.read == nil && isReset(e.written), errors.Is(e.read, io.EOF) && isReset(e.written):
		return deny.UpstreamReset
	case errors.Is(e.read, io.EOF):
		return deny.UpstreamClosed
	case e.any:
		return deny.UpstreamNotHTTP
	default:
		return deny.UpstreamUnreachable
	}
}

func isReset(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

func isTimeout(err error) bool {
	return errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded)
}
