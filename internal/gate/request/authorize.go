package request

import (
	"net/http"
	"slices"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/authn/verify"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/authz"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/authz/message"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/deny"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/source/snapshot"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/telemetry/redact"
)

// authorize judges what the caller may do. Where rules want it, the messages are read from the very bytes that are then
// forwarded.
func (x *exchange) authorize() *deny.Denial {
	if denial := x.readMessages(); denial != nil {
		return denial
	}
	if denial := x.judgeRights(x.snapshot, x.caller.principal, x.asked.messages); denial != nil {
		return denial
	}
	if x.isResponseWithoutSession() {
		return deny.Forbidden().WithDetail("a response outside of a session")
	}
	return nil
}

// isResponseWithoutSession reports an answer to the server outside of a session that is bound to its caller: it could answer what
// was asked of somebody else. A session header that got this far belongs to the caller.
func (x *exchange) isResponseWithoutSession() bool {
	return x.snapshot.Config.BindsSessions() &&
		x.request.Header.Get("Mcp-Session-Id") == "" &&
		slices.ContainsFunc(x.asked.messages, func(m message.Message) bool { return m.Kind == message.Response })
}

// judgeRights asks scopes and rules first and restrictProbe last, so that a prober sees whether those hold.
func (x *exchange) judgeRights(by *snapshot.Snapshot, principal verify.Principal, messages []message.Message) *deny.Denial {
	if denial := by.Policy.Judge(principal, messages); denial != nil {
		return denial
	}
	if principal.Reserved() {
		return x.restrictProbe(messages)
	}
	return nil
}

// restrictProbe keeps the subjects that are reserved for probes, whoever signed for them, to what a probe needs: it finds the
// server, lists what it has, and ends its session. It opens no stream, and knows no path but the MCP endpoint.
func (x *exchange) restrictProbe(messages []message.Message) *deny.Denial {
	switch {
	case x.isExtraPath():
		return deny.ReservedSubject().WithDetail("an extra path")
	case x.request.Method == http.MethodPost:
		return authz.RestrictProbe(messages)
	case x.request.Method == http.MethodDelete:
		return nil
	default:
		return deny.ReservedSubject().WithDetail("HTTP method %s", redact.Method(x.request.Method))
	}
}

// isExtraPath reports a path into which rules do not see.
func (x *exchange) isExtraPath() bool {
	return slices.Contains(x.snapshot.Config.Upstream.ExtraPaths, x.request.URL.EscapedPath())
}
