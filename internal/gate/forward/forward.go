package forward

import (
	"context"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/authn/verify"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/deny"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/limit/body"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/upstream"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

// DefaultAnswerTimeout is how long a server may take until its answer begins. It is longer than what MCP clients
// wait for a tool call.
const DefaultAnswerTimeout = 5 * time.Minute

// Forwarder forwards to one server. It is safe for concurrent use.
type Forwarder struct {
	host   string
	inside inside
	// short takes the requests whose body is at hand, long all others.
	short, long exchanger
	// buffers are for answers, and streamBuffers for streams.
	buffers, streamBuffers *bufferPool
}

// exchanger is how requests get to the server; see package upstream.
type exchanger interface {
	Do(context.Context, *http.Request, *upstream.Trail) (upstream.Answer, error)
}

// New makes a Forwarder to a server on this host, normally the loopback address. answerTimeout bounds the time from when
// a request is passed on to the header of its answer. names are those, and the addresses, by which the pod knows itself:
// what the server says of them is of no use to a client.
func New(host string, answerTimeout time.Duration, names ...string) *Forwarder {
	return &Forwarder{
		host: host, inside: inside{names: ownNames(append(names, host))}, short: upstream.NewPooled(answerTimeout, 0), long: upstream.NewFresh(answerTimeout),
		buffers: newBufferPool(32 << 10), streamBuffers: newBufferPool(4 << 10),
	}
}

// Request is a verified request on its way.
type Request struct {
	Principal verify.Principal
	Upstream  gateapi.Upstream
	Body      *body.Body
	Site      deny.Site
	// Admitted judges the caller again, by what is in force when it is called: right before the server gets the request,
	// and while it gets a body that is forwarded as it comes. A denial ends the exchange. It may be nil.
	Admitted func() *deny.Denial
	// Answered is shown the header of the server's answer before the client gets any of it. It may change it, or refuse
	// the answer: the client then gets the denial. It may be nil.
	Answered func(http.Header) *deny.Denial
	// Streaming is told that the answer is a stream of server-sent events, and how to end it. It returns what to call
	// when the stream is over, or refuses it. It may be nil.
	Streaming func(end func(StreamEnd)) (over func(), refused *deny.Denial)
	// Waiting is told that the rest of an answer which is no stream has to be waited for, and how to end it. It returns
	// what to call when the answer is over. It may be nil.
	Waiting func(end func(StreamEnd)) (over func())
}

// StreamEnd says why the gate ends an open answer. The client of a stream reads it, so it is in plain words.
type StreamEnd string

// Failure says how an exchange with the server went wrong, and whether the client got an answer of the gate's own
// (Denial) or saw its answer break off.
type Failure struct {
	Denial *deny.Denial
	Kind   gateapi.Reason
	// RedirectPath is where the server led from the MCP endpoint, for the kind gateapi.ReasonUpstreamRedirect: another path of its
	// own, escaped and without a query.
	RedirectPath string
}

// Truncated is the kind of failure where the server broke off in the middle of its answer.
const Truncated gateapi.Reason = "upstream_truncated"

// Serve forwards r and answers w in any case, unless the client has gone. It panics with http.ErrAbortHandler to cut
// off an answer that cannot be completed; failed has been called by then.
func (f *Forwarder) Serve(w http.ResponseWriter, r *http.Request, request Request, failed func(Failure)) {
	if !request.Principal.Valid() {
		// Unreachable while every caller verifies; a caller that forgot must not open the gate.
		deny.Internal().Answer(w, request.Body, request.Site)
		failed(Failure{Denial: deny.Internal(), Kind: gateapi.ReasonInternal})
		return
	}
	x := &exchange{forwarder: f, request: request, client: r, writer: w, failed: failed}
	x.run()
	// The server may have answered without reading it all; its client must be able to finish sending.
	if !request.Body.Whole() {
		_ = http.NewResponseController(w).Flush()
		request.Body.Drain()
	}
}

func (f *Forwarder) address(target gateapi.Upstream) string {
	return net.JoinHostPort(f.host, portOf(target))
}

func portOf(target gateapi.Upstream) string { return strconv.Itoa(int(target.Port)) }
