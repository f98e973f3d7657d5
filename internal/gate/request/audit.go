package request

import (
	"fmt"
	"net/http"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/telemetry/audit"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/telemetry/metrics"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

// outcomeOpened is for audit only: a stream has begun, and may last for hours until its outcome is known.
const outcomeOpened metrics.Outcome = "opened"

// writeAudit writes the audit line of a decision about a client.
func (x *exchange) writeAudit(outcome metrics.Outcome, reason gateapi.Reason) {
	if x.handler.Audit == nil || x.isProbe() {
		return
	}
	now, serverID := time.Now(), ""
	if !x.result.admitted.IsZero() {
		serverID = x.result.serverID
	}
	method, about := x.describe()
	x.handler.Audit.Write(audit.Record{
		Time: now, Outcome: string(outcome), Reason: string(reason), Detail: x.detail(), Status: x.response.status,
		Provider: x.caller.principal.Provider(), Subject: x.auditedSubject(),
		Source: x.source.String(), HTTPMethod: x.request.Method, Method: method, Name: about,
		RequestID: x.result.requestID, ServerRequestID: serverID,
		BytesIn: x.body.Bytes(), BytesOut: x.response.bytes, Took: now.Sub(x.began),
	})
}

// auditedSubject is the same in all lines of a request: they can be joined even where the gate's secret has changed between them.
func (x *exchange) auditedSubject() string {
	if x.caller.audited == "" {
		x.caller.audited = x.handler.Secrets.Current().Subjects.Name(x.caller.principal.Provider(), x.caller.principal.Subject())
	}
	return x.caller.audited
}

// detail says what was compared, also where only the gate knows the limit.
func (x *exchange) detail() string {
	switch {
	case x.result.denial == nil:
		return ""
	case x.result.denial.Detail != "":
		return x.result.denial.Detail
	}
	limits := x.snapshot.Config.Limits
	switch x.result.denial.Reason {
	case gateapi.ReasonBodyTooLarge:
		return fmt.Sprintf("%s, limit %d bytes", announced(x.request), limits.BodyBytes)
	case gateapi.ReasonBodyTimeout, gateapi.ReasonBadBody:
		return fmt.Sprintf("%s, of which %d bytes came", announced(x.request), x.body.Bytes())
	case gateapi.ReasonTooManyStreams:
		return fmt.Sprintf("limit %d streams of a caller", limits.Streams)
	case gateapi.ReasonTooManyFailures:
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
