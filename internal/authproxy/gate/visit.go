package gate

import (
	"errors"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/bearer"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/body"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/deny"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/forward"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/message"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/metrics"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/snapshot"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/surface"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/verify"
)

// visit is one request on its way through the gate, and what is known of it for log and metrics.
type visit struct {
	gate     *Gate
	snapshot *snapshot.Snapshot // the one it is judged by, to the end
	answer   *recorder
	request  *http.Request
	body     *body.Body
	began    time.Time

	principal verify.Principal
	denial    *deny.Denial
	failure   deny.Reason      // how the exchange with the server failed
	message   *message.Message // the first that was judged; nil if none was
}

func (g *Gate) serveClient(w http.ResponseWriter, r *http.Request) {
	defer g.metrics.Begin()()
	defer g.drain.Enter(r.Method)()
	// Requests and answers may overlap; without this net/http would swallow the request when the answer begins.
	// HTTP/2 always can and says so with an error.
	_ = http.NewResponseController(w).EnableFullDuplex()
	current := g.store.Current()
	v := &visit{
		gate: g, snapshot: current, request: r, began: time.Now(),
		answer: &recorder{ResponseWriter: w, leaving: g.drain.Ending},
		body:   body.Of(w, r, current.Config.Limits.BodyBytes),
	}
	defer v.conclude()
	defer v.rescue()
	v.pass()
}

// pass takes the request through the steps; the first that refuses ends it.
func (v *visit) pass() {
	config := v.snapshot.Config
	if denial := surface.Check(v.request, config); denial != nil {
		v.deny(denial)
		return
	}
	token, denial := bearer.Token(v.request.Header)
	if denial != nil {
		v.deny(denial)
		return
	}
	principal, denial := v.verify(token)
	if denial != nil {
		v.deny(denial)
		return
	}
	if denial := surface.Endpoint(v.request, config.Upstream.Path); denial != nil {
		v.deny(denial)
		return
	}
	if denial := v.authorize(); denial != nil {
		v.deny(denial)
		return
	}
	v.gate.forwarder.Serve(v.answer, v.request, forward.Request{
		Principal: principal, Upstream: config.Upstream, Body: v.body, Site: v.snapshot.Site,
		End: v.gate.drain.StreamsEnd(v.request.Method),
	}, v.failed)
}

func (v *visit) verify(token string) (verify.Principal, *deny.Denial) {
	defer func(began time.Time) { v.gate.metrics.Verified(time.Since(began)) }(time.Now())
	principal, denial := v.snapshot.Verifier.Verify(token)
	v.principal = principal
	return principal, denial
}

func (v *visit) deny(denial *deny.Denial) {
	v.denial = denial
	denial.Answer(v.answer, v.body, v.snapshot.Site)
}

func (v *visit) failed(failure forward.Failure) {
	v.denial, v.failure = failure.Denial, failure.Kind
	if failure.Kind != "" {
		v.gate.metrics.UpstreamFailed(string(failure.Kind))
	}
}

// rescue turns a panic into an answer, or where an answer has begun, into one that visibly breaks off.
func (v *visit) rescue() {
	cause := recover()
	if cause == nil {
		return
	}
	if err, isError := cause.(error); isError && errors.Is(err, http.ErrAbortHandler) {
		panic(http.ErrAbortHandler)
	}
	v.gate.options.Log.Error("panic while serving a request", "panic", cause, "stack", string(debug.Stack()))
	if v.answer.status != 0 {
		v.denial = deny.Bug()
		panic(http.ErrAbortHandler)
	}
	v.deny(deny.Bug())
}

// conclude logs and counts the request. It sees neither token nor query.
func (v *visit) conclude() {
	outcome, reason, level := v.outcome()
	v.gate.metrics.Answered(outcome, string(reason), v.answer.status)
	remote, _, err := net.SplitHostPort(v.request.RemoteAddr)
	if err != nil {
		remote = v.request.RemoteAddr
	}
	asked, about := v.asked()
	v.gate.options.Log.LogAttrs(v.request.Context(), level, "request",
		slog.String("outcome", string(outcome)), slog.String("reason", string(reason)),
		slog.Int("status", v.answer.status), slog.String("method", method(v.request.Method)),
		slog.String("provider", v.principal.Provider()), slog.String("remote", remote),
		slog.String("mcpMethod", asked), slog.String("mcpName", about),
		slog.Int64("bytes", v.answer.bytes), slog.Float64("seconds", time.Since(v.began).Seconds()))
}

// outcome: what went well is for debugging, a refusal is news, a failure wants somebody's attention.
func (v *visit) outcome() (metrics.Outcome, deny.Reason, slog.Level) {
	switch {
	case v.failure != "":
		return metrics.Failed, v.failure, slog.LevelWarn
	case v.denial != nil && v.denial.Status >= http.StatusInternalServerError:
		return metrics.Failed, v.denial.Reason, slog.LevelWarn
	case v.denial != nil:
		return metrics.Denied, v.denial.Reason, slog.LevelInfo
	case v.answer.status == 0:
		return metrics.Abandoned, "", slog.LevelDebug
	default:
		return metrics.Forwarded, "", slog.LevelDebug
	}
}

// method bounds what a client may write into the log.
func method(name string) string {
	const longest = 16
	return name[:min(len(name), longest)]
}

// recorder remembers what was answered.
type recorder struct {
	http.ResponseWriter

	leaving func() bool
	status  int
	bytes   int64
}

// WriteHeader sends the client elsewhere for its next request when the pod is ending.
func (r *recorder) WriteHeader(status int) {
	if r.status == 0 && status >= http.StatusOK {
		r.status = status
		if r.leaving() {
			r.Header().Set("Connection", "close")
		}
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(p []byte) (int, error) {
	if r.status == 0 {
		r.WriteHeader(http.StatusOK)
	}
	n, err := r.ResponseWriter.Write(p)
	r.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
