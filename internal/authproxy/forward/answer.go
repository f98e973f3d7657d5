package forward

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
)

const bufferBytes = 32 << 10

// pass gives the server's answer to the client: at once what there is, and visibly broken off if its end does not come.
func (x *exchange) pass(response *http.Response) {
	header := x.writer.Header()
	trailers := x.incoming(header, response)
	if isStream(response.Header) {
		x.watch()
	}
	x.writer.WriteHeader(response.StatusCode)
	if err := x.copy(response); err != nil {
		panic(http.ErrAbortHandler)
	}
	for _, name := range trailers { // Only those that were announced.
		header[name] = response.Trailer[name]
	}
}

// copy flushes before it waits for the server: nothing lies about in a buffer meanwhile, and a short answer is written
// once.
func (x *exchange) copy(response *http.Response) error {
	control := http.NewResponseController(x.writer)
	flush := func() { _ = control.Flush() } // A client that has gone is seen at the next Write.
	server, tells := response.Body.(interface{ BeforeWait(flush func()) })
	if tells {
		server.BeforeWait(flush)
	}
	buffer := x.forwarder.buffers.Get().(*[bufferBytes]byte)
	defer x.forwarder.buffers.Put(buffer)
	atLineStart := true // A comment can follow.
	for {
		if !tells {
			flush()
		}
		n, err := response.Body.Read(buffer[:])
		if n > 0 {
			atLineStart = buffer[n-1] == '\n'
			if _, gone := x.writer.Write(buffer[:n]); gone != nil {
				return gone
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			x.broken(atLineStart)
			return err
		}
	}
}

// broken tells the client in a comment why we end its stream, where that cannot garble an event: a comment line ends
// none (HTML, "Server-sent events"). If it was not us who ended it, the server has failed.
func (x *exchange) broken(atLineStart bool) {
	cause := context.Cause(x.context)
	switch ours := errors.Is(cause, errExpired) || errors.Is(cause, errDraining); {
	case ours && atLineStart:
		_, _ = io.WriteString(x.writer, ": "+cause.Error()+"\n")
	case !ours && x.client.Context().Err() == nil:
		x.failed(Failure{Kind: Truncated})
	}
	_ = http.NewResponseController(x.writer).Flush()
}

// isStream tells server-sent events.
func isStream(header http.Header) bool {
	mediaType, _, _ := strings.Cut(header.Get("Content-Type"), ";")
	return strings.EqualFold(strings.TrimSpace(mediaType), "text/event-stream")
}
