package wire

import (
	"errors"
	"io"
	"net"
	"syscall"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
)

// trace is what the network showed of one request, below HTTP.
type trace struct {
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

// fail keeps err unless one is kept already, or the connection failed because this side closed it.
func (e *trace) fail(err error) {
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
func (e trace) dialOutcome() probe.Outcome {
	switch {
	case isReset(e.dialErr):
		return probe.Reset
	case errors.Is(e.dialErr, syscall.ECONNREFUSED):
		return probe.Refused
	case isNoRoute(e.dialErr):
		return probe.NoRoute
	case isTimeout(e.dialErr):
		return probe.ConnectTimeout
	default:
		return probe.NotTried
	}
}

// connOutcome judges a connection that opened and gave no complete answer.
func (e trace) connOutcome() probe.Outcome {
	closed := errors.Is(e.failure, io.EOF)
	switch {
	case isReset(e.failure):
		return probe.Reset
	case e.tlsErr != nil || e.alerted():
		return probe.TLS
	case closed && e.received == 0:
		return probe.ClosedWithoutAnswer
	case closed && string(e.first) == "HTTP/":
		return probe.Truncated
	case isTimeout(e.failure): // also in the middle of an answer
		return probe.Timeout
	case isNoRoute(e.failure):
		return probe.NoRoute
	case e.received > 0:
		return probe.NotHTTP
	default:
		return probe.NotTried
	}
}

// alerted: the first bytes are a TLS alert record: content type 21, major version 3 (RFC 8446 section 5.1).
func (e trace) alerted() bool { return len(e.first) >= 2 && e.first[0] == 21 && e.first[1] == 3 }
