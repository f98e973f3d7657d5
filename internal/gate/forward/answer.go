package forward

import (
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/upstream"
)

// pass gives the server's answer to the client: at once what there is, and visibly broken off if its end does not come.
func (x *exchange) pass(answer upstream.Answer) {
	x.cleanAnswer(answer.Response)
	if denial := x.judgeRedirect(answer.Response); denial != nil {
		x.refuse(denial)
		return
	}
	if x.request.Answered != nil {
		if denial := x.request.Answered(answer.Header); denial != nil {
			x.refuse(denial)
			return
		}
	}
	if x.stream = isStream(answer.Header); x.stream && x.request.Streaming != nil {
		over, denial := x.request.Streaming(x.ender(answer.Body))
		if denial != nil {
			x.refuse(denial)
			return
		}
		defer over()
	}
	trailers := x.writeHead(answer.Response)
	if err := x.copy(answer.Body); err != nil {
		panic(http.ErrAbortHandler)
	}
	for _, name := range trailers { // Only those that were announced.
		x.writer.Header()[name] = answer.Trailer[name]
	}
}

// copy flushes before it waits for the server: nothing lies about in a buffer meanwhile, and a short answer is written
// once.
func (x *exchange) copy(source upstream.Body) error {
	control := http.NewResponseController(x.writer)
	defer x.beforeWait(source, control)()
	buffer, giveBack := x.buffer()
	defer giveBack()
	atLineStart := true // A comment can follow.
	for {
		n, err := source.Read(buffer)
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
			_ = control.Flush()
			return err
		}
	}
}

// beforeWait arranges what happens when the rest of an answer has to be waited for. over is to be called at its end.
func (x *exchange) beforeWait(source upstream.Body, control *http.ResponseController) (over func()) {
	var unwatch func()
	source.BeforeWait(func() {
		if unwatch == nil && !x.stream && x.request.Waiting != nil {
			unwatch = x.request.Waiting(x.ender(source))
		}
		_ = control.Flush() // A client that has gone is seen at the next Write.
	})
	return func() {
		if unwatch != nil {
			unwatch()
		}
	}
}

// buffer returns a small one for streams, which hold it for hours.
func (x *exchange) buffer() (buffer []byte, giveBack func()) {
	if x.stream {
		return x.forwarder.streamBuffers.take()
	}
	return x.forwarder.buffers.take()
}

// broken tells the client in a comment why we end its stream, where that cannot garble an event: a comment line ends
// none (HTML, "Server-sent events"). If it was not us who ended it, the server has failed.
func (x *exchange) broken(atLineStart bool) {
	switch why := x.ended.Load(); {
	case why != nil && (!atLineStart || !x.stream):
	case why != nil:
		_, _ = io.WriteString(x.writer, ": "+string(*why)+"\n")
	case x.rejected.Load() != nil || x.request.Body.Err() != nil: // The client's body ended the exchange.
	case x.client.Context().Err() == nil:
		x.failed(Failure{Kind: Truncated})
	}
}

// ender returns how an answer is ended before the server ends it.
func (x *exchange) ender(source upstream.Body) func(StreamEnd) {
	return func(why StreamEnd) {
		x.ended.CompareAndSwap(nil, &why)
		source.Abort()
	}
}

// isStream tells server-sent events.
func isStream(header http.Header) bool {
	mediaType, _, _ := strings.Cut(header.Get("Content-Type"), ";")
	return strings.EqualFold(strings.TrimSpace(mediaType), "text/event-stream")
}
