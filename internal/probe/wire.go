package probe

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
)

// DialFunc opens a connection, as net.Dialer.DialContext does.
type DialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// evidence is what the network showed of one request, below HTTP.
type evidence struct {
	connected bool
	dials     int
	dialErr   error
	tlsErr    error
	// failure is the first error of the connection that the peer or the network caused. The first one counts: after
	// a reset was reported once, further reads give a plain end of file.
	failure  error
	received int64
	// first holds the first bytes received: they tell HTTP, TLS and anything else apart.
	first []byte
}

// recorder collects the evidence of one connection; net/http reads and writes on goroutines of its own.
type recorder struct {
	mu   sync.Mutex
	seen evidence
}

func (r *recorder) note(change func(*evidence)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change(&r.seen)
}

func (r *recorder) evidence() evidence {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.seen
}

// record makes dial leave its evidence in r.
func (r *recorder) record(dial DialFunc) DialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			r.note(func(e *evidence) { e.dialErr = err })
			return nil, err
		}
		r.note(func(e *evidence) { e.connected = true; e.dials++ })
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
	c.recorder.note(func(e *evidence) {
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
	c.recorder.note(func(e *evidence) { e.fail(err) })
	return n, err
}

// fail keeps err unless one is kept already, or the connection failed because this side closed it.
func (e *evidence) fail(err error) {
	if err != nil && e.failure == nil && !errors.Is(err, net.ErrClosed) {
		e.failure = err
	}
}

func isReset(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

func isNoRoute(err error) bool {
	for _, errno := range []syscall.Errno{
		syscall.EHOSTUNREACH, syscall.ENETUNREACH, syscall.EHOSTDOWN, syscall.ENETDOWN, syscall.EADDRNOTAVAIL,
	} {
		if errors.Is(err, errno) {
			return true
		}
	}
	var lookup *net.DNSError
	return errors.As(err, &lookup)
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

// dialOutcome judges a connection attempt that failed.
func (e evidence) dialOutcome() Outcome {
	switch {
	case isReset(e.dialErr):
		return Reset
	case errors.Is(e.dialErr, syscall.ECONNREFUSED):
		return Refused
	case isNoRoute(e.dialErr):
		return NoRoute
	case isTimeout(e.dialErr):
		return ConnectTimeout
	default:
		return NotTried
	}
}

// connOutcome judges a connection that opened and gave no complete answer.
func (e evidence) connOutcome() Outcome {
	closed := errors.Is(e.failure, io.EOF)
	switch {
	case isReset(e.failure):
		return Reset
	case e.tlsErr != nil || e.alerted():
		return TLS
	case closed && e.received == 0:
		return ClosedWithoutAnswer
	case closed && string(e.first) == "HTTP/":
		return Truncated
	case isTimeout(e.failure): // also in the middle of an answer
		return Timeout
	case isNoRoute(e.failure):
		return NoRoute
	case e.received > 0:
		return NotHTTP
	default:
		return NotTried
	}
}

// alerted: the first bytes are a TLS alert record: content type 21, major version 3 (RFC 8446 section 5.1).
func (e evidence) alerted() bool { return len(e.first) >= 2 && e.first[0] == 21 && e.first[1] == 3 }
