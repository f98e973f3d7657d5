package gate

import (
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
		Time: now, Outcome: string(outcome), Reason: string(reason), Status: v.answer.status,
		Provider: v.principal.Provider(),
		Subject:  v.gate.secrets.current.Load().subjects.Name(v.principal.Provider(), v.principal.Subject()),
		Source:   v.source.String(), HTTPMethod: v.request.Method, Method: asked, Name: about,
		RequestID: v.requestID, ServerRequestID: serverID,
		BytesIn: v.body.Bytes(), BytesOut: v.answer.bytes, Took: now.Sub(v.began),
	})
}
