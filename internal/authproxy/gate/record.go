package gate

import (
	"fmt"
	"net/http"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/audit"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/deny"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/metrics"
)

// outcomeOpened is for audit only: a stream has begun, and may last for hours until its outcome is known.
const outcomeOpened metrics.Outcome = "opened"

// identify gives the request two ids: one by which the client and our logs know it, and a random one for the server,
// which must not be able to tell one client from another by it, or from the prober.
func (v *visit) identify() {
	v.requestID, v.serverID = audit.RequestID(v.request.Header), audit.NewRequestID()
	removeTwins(v.request.Header, audit.RequestIDHeader)
	v.request.Header[audit.RequestIDHeader] = []string{v.serverID}
	v.answer.requestID = v.requestID
}

// isSampledOut reports whether this is one of many decisions that are much alike and need not all be written down: about
// a request without a valid token. Decisions about callers are never among them.
func (v *visit) isSampledOut(outcome metrics.Outcome, reason deny.Reason) bool {
	if v.principal.Valid() || v.isProbe() {
		return false
	}
	what := string(reason)
	if what == "" {
		what = string(outcome)
	}
	if v.gate.sampler.Take(v.source.Network(), what, v.gate.options.Now()) {
		return false
	}
	v.gate.metrics.Suppressed(what)
	return true
}

// record writes the audit line of a decision about a client.
func (v *visit) record(outcome metrics.Outcome, reason deny.Reason) {
	if v.gate.audit == nil || v.isProbe() {
		return
	}
	now, serverID := time.Now(), ""
	if !v.admitted.IsZero() {
		serverID = v.serverID
	}
	asked, about := v.asked()
	v.gate.audit.Write(audit.Record{
		Time: now, Outcome: string(outcome), Reason: string(reason), Detail: v.detail(), Status: v.answer.status,
		Provider: v.principal.Provider(),
		Subject:  v.gate.secrets.current.Load().subjects.Name(v.principal.Provider(), v.principal.Subject()),
		Source:   v.source.String(), HTTPMethod: v.request.Method, Method: asked, Name: about,
		RequestID: v.requestID, ServerRequestID: serverID,
		BytesIn: v.body.Bytes(), BytesOut: v.answer.bytes, Took: now.Sub(v.began),
	})
}

// detail says what was compared, also where only the gate knows the limit.
func (v *visit) detail() string {
	switch {
	case v.denial == nil:
		return ""
	case v.denial.Detail != "":
		return v.denial.Detail
	}
	limits := v.snapshot.Config.Limits
	switch v.denial.Reason {
	case deny.BodyTooLarge:
		return fmt.Sprintf("%s, limit %d bytes", announced(v.request), limits.BodyBytes)
	case deny.BodyTimeout, deny.BadBody:
		return fmt.Sprintf("%s, of which %d bytes came", announced(v.request), v.body.Bytes())
	case deny.TooManyStreams:
		return fmt.Sprintf("limit %d streams of a caller", limits.Streams)
	case deny.TooManyFailures:
		return fmt.Sprintf("limit %d bad tokens at once, %d more each second", limits.FailureBurst, limits.FailuresPerSecond)
	default:
		return ""
	}
}

// announced is the length that a request declares for its body.
func announced(r *http.Request) string {
	if r.ContentLength < 0 {
		return "a body of no declared length"
	}
	return fmt.Sprintf("a body of %d bytes", r.ContentLength)
}
