package forward

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/body"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/deny"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/upstream"
)

// Why the gate itself ends a stream. The client is told.
var (
	errExpired  = errors.New("the access token has expired")
	errDraining = errors.New("the server is shutting down")
)

// exchange is one request and its answer.
type exchange struct {
	forwarder *Forwarder
	request   Request
	client    *http.Request
	writer    http.ResponseWriter
	context   context.Context // ends when the exchange does; its cause says why
	cancel    context.CancelCauseFunc
	failed    func(Failure)
	trail     upstream.Trail
}

func (x *exchange) run() {
	outgoing := x.outgoing()
	exchanger := x.takeBody(outgoing)
	if denial := x.clientFault(); denial != nil {
		x.answer(denial, "")
		return
	}
	response, err := exchanger.Do(x.context, outgoing, &x.trail)
	if err != nil {
		x.fail()
		return
	}
	defer response.Body.Close()
	x.pass(response)
}

// takeBody gives the outgoing request its body and says who is to take it. A short one is read first, so that it goes out
// with its length, whatever the client's framing was.
func (x *exchange) takeBody(outgoing *http.Request) exchanger {
	in := x.request.Body
	if x.client.ContentLength == 0 {
		return x.forwarder.short
	}
	outgoing.Body, outgoing.ContentLength = in, x.client.ContentLength
	if x.client.ContentLength > upstream.MaxBodyBytes {
		return x.forwarder.long
	}
	ahead, whole, err := in.Prefetch(upstream.MaxBodyBytes)
	if err != nil || !whole {
		return x.forwarder.long
	}
	outgoing.Body, outgoing.ContentLength = http.NoBody, int64(len(ahead))
	if len(ahead) > 0 {
		outgoing.Body = io.NopCloser(bytes.NewReader(ahead))
	}
	if len(ahead) > upstream.MaxBodyBytes {
		return x.forwarder.long
	}
	return x.forwarder.short
}

// watch ends a stream with its token or with the pod.
func (x *exchange) watch() {
	expiry := time.AfterFunc(x.request.Principal.Deadline().Sub(x.forwarder.now()), func() { x.cancel(errExpired) })
	done := x.context.Done()
	go func() {
		defer expiry.Stop()
		select {
		case <-x.request.End:
			x.cancel(errDraining)
		case <-done:
		}
	}()
}

// fail answers in place of a server that did not answer.
func (x *exchange) fail() {
	if denial := x.clientFault(); denial != nil {
		x.answer(denial, "")
		return
	}
	if x.client.Context().Err() != nil {
		panic(http.ErrAbortHandler) // The client has gone; there is nobody to answer.
	}
	kind := x.trail.Kind()
	x.answer(deny.Upstream(kind), kind)
}

func (x *exchange) answer(denial *deny.Denial, kind deny.Reason) {
	x.failed(Failure{Denial: denial, Kind: kind})
	denial.Answer(x.writer, x.request.Body, x.request.Site)
}

// clientFault is the answer where the client's body, and not the server, ended the exchange.
func (x *exchange) clientFault() *deny.Denial {
	switch err := x.request.Body.Err(); {
	case err == nil:
		return nil
	case errors.Is(err, body.ErrTooLarge):
		return deny.Body(deny.BodyTooLarge)
	case errors.Is(err, body.ErrStalled):
		return deny.Body(deny.BodyTimeout)
	default:
		return deny.Body(deny.BadBody)
	}
}
