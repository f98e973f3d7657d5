package forward

import (
	"context"
	"errors"
	"io"
	"net/http"
)

// answer is the body of a server's answer on its way to the client.
type answer struct {
	source   io.ReadCloser
	response *http.Response
	exchange *exchange
	// atLineStart: the last byte passed on ended a line, so that a comment can follow.
	atLineStart bool
	// last is a comment that is still to be passed on before err.
	last []byte
	err  error
}

// Read passes the answer on. Any error but io.EOF makes ReverseProxy cut the client's connection, so that a broken
// answer cannot be taken for a complete one.
func (a *answer) Read(p []byte) (int, error) {
	if a.err != nil {
		n := copy(p, a.last)
		a.last = a.last[n:]
		if len(a.last) > 0 {
			return n, nil
		}
		return n, a.err
	}
	n, err := a.source.Read(p)
	if n > 0 {
		a.atLineStart = p[n-1] == '\n'
	}
	switch {
	case err == nil:
		return n, nil
	case errors.Is(err, io.EOF):
		// Trailers come in at the end; MCP has none.
		a.response.Trailer = nil
		return n, err
	}
	a.err = err
	a.end()
	if len(a.last) > 0 {
		return n, nil
	}
	return n, err
}

// end tells the client in a comment why we end its stream, where that cannot garble an event: a comment line ends
// none (HTML, "Server-sent events"). If it was not us who ended it, the server has failed.
func (a *answer) end() {
	var why StreamEnd
	switch ours := errors.As(context.Cause(a.exchange.context), &why); {
	case ours && a.atLineStart:
		a.last = []byte(": " + string(why) + "\n")
	case !ours && a.exchange.client.Context().Err() == nil:
		a.exchange.failed(Failure{Kind: Truncated})
	}
}

func (a *answer) Close() error { return a.source.Close() }
