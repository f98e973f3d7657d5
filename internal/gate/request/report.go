package request

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/telemetry/metrics"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/telemetry/redact"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/telemetry/stats"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

// report logs and counts the request, once it is answered. It sees neither token nor query.
func (x *exchange) report() {
	x.deadline.Extend() // net/http still has to write the end.
	outcome, reason, level := x.outcome()
	if x.isProbe() {
		level = slog.LevelDebug
		x.handler.Metrics.Probed(outcome, string(reason), x.response.status)
	} else {
		x.count(outcome, reason)
	}
	if x.isSampledOut(outcome, reason) {
		return
	}
	if ended := x.result.ended.Load(); ended != nil && reason == "" {
		x.writeAudit(outcome, *ended)
	} else {
		x.writeAudit(outcome, reason)
	}
	if !x.handler.Log.Enabled(x.request.Context(), level) {
		return
	}
	x.handler.Log.LogAttrs(x.request.Context(), level, "request",
		slog.String("outcome", string(outcome)), slog.String("reason", string(reason)), slog.String("detail", x.detail()),
		slog.Int("status", x.response.status), slog.String("method", redact.Method(x.request.Method)),
		slog.String("provider", x.caller.principal.Provider()), slog.String("source", x.source.String()),
		slog.String("requestID", x.result.requestID), slog.Bool("probe", x.isProbe()),
		slog.Int64("bytes", x.response.bytes), slog.Float64("seconds", time.Since(x.began).Seconds()))
}

// count is for clients' requests only.
func (x *exchange) count(outcome metrics.Outcome, reason gateapi.Reason) {
	x.handler.Metrics.Answered(outcome, string(reason), x.response.status)
	if x.result.failure != "" {
		x.handler.Metrics.UpstreamFailed(string(x.result.failure))
	}
	x.countAdmission()
	if x.result.denial != nil {
		x.handler.Stats.Refuse(stats.Refusal{
			Provider: x.result.claimed, Reason: x.result.denial.Reason, Detail: x.result.denial.Detail,
			Before: x.result.admitted.IsZero(), At: x.handler.Now(),
		})
	}
}

// countAdmission need not wait for the end of what was let in.
func (x *exchange) countAdmission() {
	if !x.result.admitted.IsZero() && !x.isProbe() {
		x.handler.Stats.Accept(x.caller.principal.Provider(), x.result.admitted)
	}
}

// isProbe is asked when there is nothing left to decide.
func (x *exchange) isProbe() bool {
	if !x.result.told {
		came := x.handler.Now().Add(-time.Since(x.began))
		x.result.told, x.result.probe = true, x.handler.Probes.Recognize(x.handler.Secrets.Current().Probes, x.result.requestID, came, x.isTurnedAway())
	}
	return x.result.probe
}

// isTurnedAway reports the answers that the prober gets where it does not know who answers: to no token, and to what is none.
func (x *exchange) isTurnedAway() bool {
	if x.result.denial == nil {
		return false
	}
	switch x.result.denial.Reason {
	case gateapi.ReasonMissingToken, gateapi.ReasonMalformedToken, gateapi.ReasonTooManyFailures:
		return true
	default:
		return false
	}
}

// outcome: a failure wants somebody's attention; all else is for debugging, and for the audit.
func (x *exchange) outcome() (metrics.Outcome, gateapi.Reason, slog.Level) {
	switch {
	case x.result.failure != "":
		return metrics.Failed, x.result.failure, slog.LevelWarn
	case x.result.denial != nil && x.result.denial.Status >= http.StatusInternalServerError:
		return metrics.Failed, x.result.denial.Reason, slog.LevelWarn
	case x.result.denial != nil:
		return metrics.Denied, x.result.denial.Reason, slog.LevelDebug
	case x.result.public:
		return metrics.Public, "", slog.LevelDebug
	case x.response.status == 0:
		return metrics.Abandoned, "", slog.LevelDebug
	default:
		return metrics.Forwarded, "", slog.LevelDebug
	}
}

// isSampledOut reports whether this is one of many decisions that are much alike and need not all be written down: about
// a request without a valid token. Decisions about callers are never among them.
func (x *exchange) isSampledOut(outcome metrics.Outcome, reason gateapi.Reason) bool {
	if x.caller.principal.Valid() || x.isProbe() {
		return false
	}
	what := string(reason)
	if what == "" {
		what = string(outcome)
	}
	if x.handler.Sampler.Take(x.source.Network(), what, x.handler.Now()) {
		return false
	}
	x.handler.Metrics.Suppressed(what)
	return true
}
