// Package request takes one request of a client through the gate: it is checked, its caller verified, its session opened,
// its rights judged; then it is forwarded, and at the end reported to log, audit and metrics.
//
// It must not know how any step decides.
package request

import (
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/authn/session"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/authn/verify"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/authz/message"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/deny"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/drain"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/forward"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/limit/body"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/limit/budget"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/limit/connection"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/limit/ratelimit"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/limit/streams"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/limit/writedeadline"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/source/remote"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/source/secret"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/source/snapshot"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/telemetry/audit"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/telemetry/metrics"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/telemetry/probeid"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/telemetry/stats"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

// Handler serves MCP clients. Its fields are set before the first request.
type Handler struct {
	Store       *snapshot.Store
	Keys        *remote.Group
	Secrets     *secret.Store
	Forwarder   *forward.Forwarder
	Drain       *drain.Drain
	RateLimit   *ratelimit.Limiter
	Budget      *budget.Budget[session.Caller]
	Connections *connection.Pool
	Streams     *streams.Registry
	Metrics     *metrics.Metrics
	Stats       *stats.Stats
	Audit       *audit.Log // nil if nobody wants it
	Sampler     *audit.Sampler
	Probes      *probeid.Recognizer
	// Ready returns why the gate should get no traffic; it is asked for health checks.
	Ready func() error
	// Redirected is told of the path to which the server redirects from its MCP endpoint.
	Redirected    func(path string)
	Now           func() time.Time
	Log           *slog.Logger
	WritePatience time.Duration
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer h.Metrics.Begin()()
	conn := connection.Of(r)
	if !conn.Begin() {
		w.Header().Set("Connection", "close")
	}
	defer h.Drain.Enter(r.Method)()
	// Requests and answers may overlap; without this net/http would swallow the request when the answer begins.
	// HTTP/2 always can and says so with an error.
	_ = http.NewResponseController(w).EnableFullDuplex()
	current := h.Store.Current()
	deadline := writedeadline.New(w, r, min(writedeadline.Unverified, h.WritePatience))
	defer deadline.Release()
	w = deadline
	x := &exchange{
		handler: h, snapshot: current, request: r, began: time.Now(), source: current.Sources.Of(r), deadline: deadline,
		response: &recorder{ResponseWriter: w, leaving: h.Drain.Ending, request: r, origins: current.Config.AllowedOrigins},
		body:     body.Of(w, r, current.Config.Limits.BodyBytes), conn: conn, account: h.Budget.Open(),
	}
	x.body.Charge(&x.account)
	defer x.leave()
	defer x.report()
	defer x.recoverPanic()
	x.identify()
	x.serve()
}

// exchange is one request on its way through the gate, and its answer.
type exchange struct {
	handler  *Handler
	snapshot *snapshot.Snapshot // the one it is judged by
	response *recorder
	request  *http.Request
	body     *body.Body
	began    time.Time
	source   ratelimit.Source
	deadline *writedeadline.Writer
	conn     *connection.Conn // nil in tests without a server of our own
	account  budget.Account[session.Caller]
	caller   caller
	asked    asked
	result   result
}

// caller is who sent the request, as far as that is verified.
type caller struct {
	token     string
	principal verify.Principal
	entered   bool     // the request counts as its caller's
	binding   *binding // of sessions; nil if they are not bound
	audited   string   // how the audit names the subject, once it was asked
}

// asked is what the caller wants: it is judged again while the body comes and while the answer is open.
type asked struct {
	messages []message.Message
	first    *message.Message // the first that was judged; nil if none was
	reserved int64            // bytes that the account holds for messages
	dropped  bool             // they were too long to be kept
}

// result is what became of the request, for log, audit and metrics.
type result struct {
	requestID string    // by which client and logs know it
	serverID  string    // by which the server knows it
	claimed   string    // the provider that the token names, if one is known
	admitted  time.Time // when it was let through to the server
	denial    *deny.Denial
	failure   gateapi.Reason                 // how the exchange with the server failed
	public    bool                           // answered by the gate with what anybody may know
	ended     atomic.Pointer[gateapi.Reason] // why the gate ended an open answer
	told      bool                           // probe is known; see isProbe
	probe     bool
}

// identify gives the request two ids: one by which the client and our logs know it, and a random one for the server,
// which must not be able to tell one client from another by it, or from the prober.
func (x *exchange) identify() {
	x.result.requestID, x.result.serverID = audit.RequestID(x.request.Header), audit.NewRequestID()
	removeTwins(x.request.Header, audit.RequestIDHeader)
	x.request.Header[audit.RequestIDHeader] = []string{x.result.serverID}
	x.response.requestID = x.result.requestID
}
