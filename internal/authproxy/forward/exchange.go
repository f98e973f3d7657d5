package forward

import (
	"context"
	"errors"
	"mime"
	"net/http"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/deny"
)

// Why the gate itself ends an exchange.
var (
	errNoAnswer = errors.New("the server did not begin to answer in time")
	errUpgrade  = errors.New("the server switched protocols")
)

// exchange is one request and its answer.
type exchange struct {
	forwarder *Forwarder
	request   Request
	client    *http.Request
	context   context.Context // ends when the exchange does; its cause says why
	cancel    context.CancelCauseFunc
	patience  *time.Timer
	failed    func(Failure)
	over      func() // the stream's end, if it is one
	trail     evidence
}

// RoundTrip implements http.RoundTripper for ReverseProxy.
func (x *exchange) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := x.forwarder.transport.RoundTrip(r.WithContext(exchangeContext{r.Context(), &x.trail}))
	if err != nil {
		return nil, err
	}
	// ReverseProxy would connect client and server byte for byte, around the gate.
	if response.StatusCode == http.StatusSwitchingProtocols {
		_ = response.Body.Close()
		return nil, errUpgrade
	}
	return response, nil
}

// exchangeContext hides the values of the request's context from the transport, in particular ReverseProxy's trace,
// which would pass 1xx answers on to the client unseen.
type exchangeContext struct {
	context.Context

	trail *evidence
}

func (c exchangeContext) Value(key any) any {
	if key == (evidenceKey{}) {
		return c.trail
	}
	return nil
}

// receive takes the header of the server's answer.
func (x *exchange) receive(response *http.Response) error {
	x.patience.Stop()
	cleanAnswer(response.Header)
	response.Trailer = nil
	if x.request.Answered != nil {
		if denial := x.request.Answered(response.Header); denial != nil {
			return refusal{denial}
		}
	}
	response.Body = &answer{source: response.Body, response: response, exchange: x, atLineStart: true}
	mediaType, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
	if mediaType != "text/event-stream" || x.request.Streaming == nil {
		return nil
	}
	over, denial := x.request.Streaming(func(why StreamEnd) { x.cancel(why) })
	if denial != nil {
		return refusal{denial}
	}
	x.over = over
	return nil
}

// refusal is the error of an answer that the client must not get.
type refusal struct{ denial *deny.Denial }

func (r refusal) Error() string { return r.denial.Message }

// fail answers in place of a server that did not answer.
func (x *exchange) fail(w http.ResponseWriter, _ *http.Request, err error) {
	if denial := x.clientFault(); denial != nil {
		x.failed(Failure{Denial: denial})
		denial.Answer(w, x.request.Body, x.request.Site)
		return
	}
	var refused refusal
	if errors.As(err, &refused) {
		failure := Failure{Denial: refused.denial}
		if refused.denial.Status >= http.StatusInternalServerError {
			failure.Kind = refused.denial.Reason
		}
		x.failed(failure)
		refused.denial.Answer(w, x.request.Body, x.request.Site)
		return
	}
	if x.client.Context().Err() != nil {
		panic(http.ErrAbortHandler) // The client has gone; there is nobody to answer.
	}
	kind := x.kind(err)
	denial := deny.Upstream(kind)
	x.failed(Failure{Denial: denial, Kind: kind})
	denial.Answer(w, x.request.Body, x.request.Site)
}

// clientFault is the answer where the client's body, and not the server, ended the exchange.
func (x *exchange) clientFault() *deny.Denial {
	if err := x.request.Body.Err(); err != nil {
		return deny.Unread(err)
	}
	return nil
}

func (x *exchange) kind(err error) deny.Reason {
	switch {
	case errors.Is(context.Cause(x.context), errNoAnswer):
		return deny.UpstreamTimeout
	case errors.Is(err, errUpgrade):
		return deny.UpstreamUpgrade
	default:
		return x.trail.kind()
	}
}
