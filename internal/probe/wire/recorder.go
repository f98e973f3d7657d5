package wire

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
)

// DialFunc opens a connection, as net.Dialer.DialContext does.
type DialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// recorder collects the evidence of one connection; net/http reads and writes on goroutines of its own.
type recorder struct {
	mu   sync.Mutex
	seen trace
}

func (r *recorder) note(change func(*trace)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change(&r.seen)
}

func (r *recorder) trace() trace {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.seen
}

// record makes dial leave its evidence in r.
func (r *recorder) record(dial DialFunc) DialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			r.note(func(e *trace) { e.dialErr = err })
			return nil, err
		}
		r.note(func(e *trace) { e.connected = true; e.dials++ })
		return &recordedConn{Conn: conn, recorder: r}, nil
	}
}

type recordedConn struct {
	net.Conn
	recorder *recorder
	// outer: what passes is TLS, of which only failures tell something once the handshake is over.
	outer atomic.Bool
}

const firstBytes = 5

func (c *recordedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.recorder.note(func(e *trace) {
		if e.fail(err); c.outer.Load() {
			return
		}
		e.received += int64(n)
		if missing := firstBytes - len(e.first); missing > 0 {
			e.first = append(e.first, p[:min(n, missing)]...)
		}
	})
	return n, err
}

func (c *recordedConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.recorder.note(func(e *trace) { e.fail(err) })
	return n, err
}
