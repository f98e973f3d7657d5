package gate

import (
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/audit"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/deny"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/metrics"
)

// outcomeOpened is for audit only: a stream has begun, and may last for hours until its outcome is known.
const outcomeOpened metrics.Outcome = "opened"

// identify gives the request the id by which all logs know it. The server gets it, and so does the client.
func (v *visit) identify() {
	v.requestID = audit.RequestID(v.request.Header)
	removeTwins(v.request.Header, audit.RequestIDHeader)
	v.request.Header[audit.RequestIDHeader] = []string{v.requestID}
	v.answer.requestID = v.requestID
}

// record writes the audit line of a decision.
func (v *visit) record(outcome metrics.Outcome, reason deny.Reason) {
	if v.gate.audit == nil {
		return
	}
	now := time.Now()
	asked, about := v.asked()
	v.gate.audit.Write(audit.Record{
		Time: now, Outcome: string(outcome), Reason: string(reason), Status: v.answer.status,
		Provider: v.principal.Provider(),
		Subject:  v.gate.secrets.current.Load().subjects.Name(v.principal.Provider(), v.principal.Subject()),
		Source:   v.source.String(), HTTPMethod: v.request.Method, Method: asked, Name: about, RequestID: v.requestID,
		BytesIn: v.body.Bytes(), BytesOut: v.answer.bytes, Took: now.Sub(v.began),
	})
}
