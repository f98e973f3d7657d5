package forward

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"strconv"
	"sync"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/authproxy"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/body"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/deny"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/verify"
)

// DefaultAnswerTimeout is how long a server may take until its answer begins. It is longer than what MCP clients
// wait for a tool call.
const DefaultAnswerTimeout = 5 * time.Minute

const dialTimeout = 5 * time.Second

// Forwarder forwards to one server. It is safe for concurrent use.
type Forwarder struct {
	host          string
	answerTimeout time.Duration
	now           func() time.Time
	transport     *http.Transport
	buffers       buffers
}

// New makes a Forwarder to a server on this host, normally the loopback address. answerTimeout bounds the time from
// the start of a request to the header of its answer.
func New(host string, answerTimeout time.Duration, now func() time.Time) *Forwarder {
	return &Forwarder{
		host: host, answerTimeout: answerTimeout, now: now,
		transport: &http.Transport{
			Proxy:       nil, // No environment variable may send verified requests elsewhere.
			DialContext: dial,
			// A server may close an idle connection at the very moment we write to it. A POST cannot be repeated, so
			// that would be a failed request; on loopback a new connection costs little.
			DisableKeepAlives:      true,
			DisableCompression:     true,
			MaxResponseHeaderBytes: 64 << 10,
		},
		buffers: buffers{sync.Pool{New: func() any { return new([bufferBytes]byte) }}},
	}
}

// Request is a verified request on its way.
type Request struct {
	Principal verify.Principal
	Upstream  authproxy.Upstream
	Body      *body.Body
	Site      deny.Site
	// Answered is shown the header of the server's answer before the client gets any of it. It may change it, or refuse
	// the answer: the client then gets the denial. It may be nil.
	Answered func(http.Header) *deny.Denial
	// Streaming is told that the answer is a stream of server-sent events, and how to end it. It returns what to call
	// when the stream is over, or refuses it. It may be nil.
	Streaming func(end func(StreamEnd)) (over func(), refused *deny.Denial)
}

// StreamEnd says why the gate ends a stream. The client reads it, so it is in plain words.
type StreamEnd string

func (e StreamEnd) Error() string { return string(e) }

// Failure says how an exchange with the server went wrong, and whether the client got an answer of the gate's own
// (Denial) or saw its answer break off.
type Failure struct {
	Denial *deny.Denial
	Kind   deny.Reason
}

// Truncated is the kind of failure where the server broke off in the middle of its answer.
const Truncated deny.Reason = "upstream_truncated"

// Serve forwards r and answers w in any case, unless the client has gone. It panics with http.ErrAbortHandler to cut
// off an answer that cannot be completed; failed has been called by then.
func (f *Forwarder) Serve(w http.ResponseWriter, r *http.Request, request Request, failed func(Failure)) {
	if !request.Principal.Valid() {
		// Unreachable while every caller verifies; a caller that forgot must not open the gate.
		deny.Bug().Answer(w, request.Body, request.Site)
		failed(Failure{Denial: deny.Bug(), Kind: deny.Internal})
		return
	}
	if request.Body.Err() != nil {
		denial := deny.Body(deny.BodyTooLarge)
		failed(Failure{Denial: denial})
		denial.Answer(w, request.Body, request.Site)
		return
	}
	ctx, cancel := context.WithCancelCause(r.Context())
	defer cancel(nil)
	x := &exchange{forwarder: f, request: request, client: r, context: ctx, cancel: cancel, failed: failed, over: func() {}}
	x.patience = time.AfterFunc(f.answerTimeout, func() { cancel(errNoAnswer) })
	defer x.patience.Stop()
	defer func() { x.over() }()
	outgoing := r.WithContext(ctx)
	if r.ContentLength != 0 {
		outgoing.Body = request.Body
	}
	proxy := httputil.ReverseProxy{
		Rewrite: x.rewrite, Transport: x, ModifyResponse: x.receive, ErrorHandler: x.fail,
		FlushInterval: -1, BufferPool: &f.buffers, ErrorLog: log.New(io.Discard, "", 0),
	}
	proxy.ServeHTTP(w, outgoing)
	// The server may have answered without reading it all; its client must be able to finish sending.
	_ = http.NewResponseController(w).Flush()
	request.Body.Drain()
}

func (f *Forwarder) address(upstream authproxy.Upstream) string {
	return net.JoinHostPort(f.host, strconv.Itoa(int(upstream.Port)))
}

const bufferBytes = 32 << 10

// buffers are what answers are copied through, one per exchange, with no reading ahead.
type buffers struct{ pool sync.Pool }

func (b *buffers) Get() []byte { return b.pool.Get().(*[bufferBytes]byte)[:] }

func (b *buffers) Put(buffer []byte) { b.pool.Put((*[bufferBytes]byte)(buffer)) }
