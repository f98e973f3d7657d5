package gate

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/deny"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/metrics"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/redact"
)

// conclude logs and counts the request, once it is answered. It sees neither token nor query.
func (v *visit) conclude() {
	v.steady.renew() // net/http still has to write the end.
	outcome, reason, level := v.outcome()
	if v.isProbe() {
		level = slog.LevelDebug
		v.gate.metrics.Probed(outcome, string(reason), v.answer.status)
	} else {
		v.count(outcome, reason)
	}
	if v.isSampledOut(outcome, reason) {
		return
	}
	if ended := v.ended.Load(); ended != nil && reason == "" {
		v.record(outcome, *ended)
	} else {
		v.record(outcome, reason)
	}
	if !v.gate.options.Log.Enabled(v.request.Context(), level) {
		return
	}
	v.gate.options.Log.LogAttrs(v.request.Context(), level, "request",
		slog.String("outcome", string(outcome)), slog.String("reason", string(reason)), slog.String("detail", v.detail()),
		slog.Int("status", v.answer.status), slog.String("method", redact.Method(v.request.Method)),
		slog.String("provider", v.principal.Provider()), slog.String("source", v.source.String()),
		slog.String("requestID", v.requestID), slog.Bool("probe", v.isProbe()),
		slog.Int64("bytes", v.answer.bytes), slog.Float64("seconds", time.Since(v.began).Seconds()))
}

// count is for clients' requests only.
func (v *visit) count(outcome metrics.Outcome, reason deny.Reason) {
	v.gate.metrics.Answered(outcome, string(reason), v.answer.status)
	if v.failure != "" {
		v.gate.metrics.UpstreamFailed(string(v.failure))
	}
	v.countAdmission()
	if v.denial != nil {
		v.gate.tally.refuse(v.claimed, v.denial.Reason, v.admitted.IsZero(), v.gate.options.Now())
	}
}

// countAdmission need not wait for the end of what was let in.
func (v *visit) countAdmission() {
	if !v.admitted.IsZero() && !v.isProbe() {
		v.gate.tally.accept(v.principal.Provider(), v.admitted)
	}
}

// isProbe is asked when there is nothing left to decide.
func (v *visit) isProbe() bool {
	if !v.told {
		came := v.gate.options.Now().Add(-time.Since(v.began))
		v.told, v.probe = true, v.gate.probes.recognise(v.gate.secrets.current.Load().probes, v.requestID, came, v.isTurnedAway())
	}
	return v.probe
}

// isTurnedAway tells the answers that the prober gets where it does not know who answers: to no token, and to what is none.
func (v *visit) isTurnedAway() bool {
	if v.denial == nil {
		return false
	}
	switch v.denial.Reason {
	case deny.MissingToken, deny.MalformedToken, deny.TooManyFailures:
		return true
	default:
		return false
	}
}

// outcome: a failure wants somebody's attention; all else is for debugging, and for the audit.
func (v *visit) outcome() (metrics.Outcome, deny.Reason, slog.Level) {
	switch {
	case v.failure != "":
		return metrics.Failed, v.failure, slog.LevelWarn
	case v.denial != nil && v.denial.Status >= http.StatusInternalServerError:
		return metrics.Failed, v.denial.Reason, slog.LevelWarn
	case v.denial != nil:
		return metrics.Denied, v.denial.Reason, slog.LevelDebug
	case v.public:
		return metrics.Public, "", slog.LevelDebug
	case v.answer.status == 0:
		return metrics.Abandoned, "", slog.LevelDebug
	default:
		return metrics.Forwarded, "", slog.LevelDebug
	}
}
