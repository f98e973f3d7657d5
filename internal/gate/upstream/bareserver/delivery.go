package bareserver

import (
	"context"
	"errors"
	"io"
	"net/http/httptrace"
	"sync/atomic"
	"syscall"
)

// delivery is how far a question came.
type delivery struct {
	connected, written, answering atomic.Bool
}

func (d *delivery) traced(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn:              func(httptrace.GotConnInfo) { d.connected.Store(true) },
		WroteRequest:         func(info httptrace.WroteRequestInfo) { d.written.Store(info.Err == nil) },
		GotFirstResponseByte: func() { d.answering.Store(true) },
	})
}

// isSilent reports whether the server has the whole question and has sent nothing back.
func (d *delivery) isSilent() bool { return d.written.Load() && !d.answering.Load() }

// failed judges an exchange that brought no answer. A server that could not be connected to was not asked, so nothing it
// did is due to the question.
func (d *delivery) failed(err error) Result {
	if !d.connected.Load() {
		return Unclear
	}
	for _, ended := range []error{syscall.ECONNRESET, syscall.EPIPE, io.EOF, io.ErrUnexpectedEOF} {
		if errors.Is(err, ended) {
			return Resets
		}
	}
	return Unclear
}
