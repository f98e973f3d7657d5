package forward

import (
	"errors"
	"net/http"
	"sync/atomic"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/deny"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/limit/body"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/upstream"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

// exchange is one request and its answer.
type exchange struct {
	forwarder *Forwarder
	request   Request
	client    *http.Request
	writer    http.ResponseWriter
	failed    func(Failure)
	trail     upstream.Trail
	stream    bool                      // the answer is one of server-sent events
	ended     atomic.Pointer[StreamEnd] // why we ended the answer, if we did
	// dismissed is why the caller may no longer be here, if that showed while its body came.
	rejected atomic.Pointer[deny.Denial]
	redirect string // Failure.RedirectPath
}

func (x *exchange) run() {
	outgoing := x.outgoing()
	chosen := x.takeBody(outgoing)
	denial := x.clientFault()
	if denial == nil {
		denial = x.stillAdmitted()
	}
	if denial != nil {
		x.deny(denial, "")
		return
	}
	answer, err := chosen.Do(x.client.Context(), outgoing, &x.trail)
	if err != nil {
		x.fail()
		return
	}
	defer answer.Body.Close()
	x.pass(answer)
}

// firstPart is how much of a long body comes before the server gets anything, in bytes.
const firstPart = 2 << 10

// takeBody gives the outgoing request its body and says who is to take it. A short one is read first, so that it goes out
// with its length, whatever the client's framing was. HTTP/2 without a length may be a dialogue.
func (x *exchange) takeBody(outgoing *http.Request) exchanger {
	in := x.request.Body
	if x.client.ContentLength == 0 {
		return x.forwarder.short
	}
	outgoing.Body, outgoing.ContentLength = judgedBody{in, x}, x.client.ContentLength
	if x.client.ContentLength > upstream.MaxBodyBytes {
		// The server gets nothing before the body begins to come, which is when the caller is judged again. An error shows
		// in clientFault.
		_, _, _ = in.Prefetch(firstPart)
		return x.forwarder.long
	}
	if x.client.ContentLength < 0 && x.client.ProtoMajor > 1 {
		return x.forwarder.long
	}
	ahead, whole, err := in.Prefetch(upstream.MaxBodyBytes)
	if err != nil || !whole {
		return x.forwarder.long
	}
	outgoing.Body, outgoing.ContentLength = in, int64(len(ahead))
	if len(ahead) == 0 {
		outgoing.Body = http.NoBody
	}
	if len(ahead) > upstream.MaxBodyBytes {
		return x.forwarder.long
	}
	return x.forwarder.short
}

// fail answers in place of a server that did not answer.
func (x *exchange) fail() {
	if denial := x.clientFault(); denial != nil {
		x.deny(denial, "")
		return
	}
	if x.client.Context().Err() != nil {
		panic(http.ErrAbortHandler) // The client has gone; there is nobody to answer.
	}
	kind := x.trail.Kind()
	x.deny(deny.Upstream(kind), kind)
}

func (x *exchange) deny(denial *deny.Denial, kind gateapi.Reason) {
	x.failed(Failure{Denial: denial, Kind: kind, RedirectPath: x.redirect})
	denial.Answer(x.writer, x.request.Body, x.request.Site)
}

// refuse keeps an answer of the server from the client.
func (x *exchange) refuse(denial *deny.Denial) {
	kind := gateapi.Reason("")
	if denial.Status >= http.StatusInternalServerError {
		kind = denial.Reason
	}
	x.deny(denial, kind)
}

// clientFault is the answer where the client's body, or a caller who may no longer be here, and not the server, ended the
// exchange.
func (x *exchange) clientFault() *deny.Denial {
	if denial := x.rejected.Load(); denial != nil {
		return denial
	}
	if err := x.request.Body.Err(); err != nil {
		return deny.BodyError(err)
	}
	return nil
}

func (x *exchange) stillAdmitted() *deny.Denial {
	if x.request.Admitted == nil {
		return nil
	}
	return x.request.Admitted()
}

// judgedBody is a body that is forwarded while it comes. Each part is passed on only while the caller may be here: a
// server may act on the beginning of a body, and its end may come late.
type judgedBody struct {
	*body.Body

	exchange *exchange
}

var errRejected = errors.New("the caller may no longer be here")

func (b judgedBody) Read(p []byte) (int, error) {
	n, err := b.Body.Read(p)
	if denial := b.exchange.stillAdmitted(); denial != nil {
		b.exchange.rejected.CompareAndSwap(nil, denial)
		return 0, errRejected
	}
	return n, err
}
