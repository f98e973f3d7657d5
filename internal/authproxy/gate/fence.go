package gate

import (
	"net/http"
	"slices"

	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/authorize"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/deny"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/message"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/redact"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/snapshot"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/verify"
)

// judgeRights asks scopes and rules first and the fence last, so that a prober sees whether those hold.
func (v *visit) judgeRights(by *snapshot.Snapshot, principal verify.Principal, messages []message.Message) *deny.Denial {
	if denial := by.Policy.Judge(principal, messages); denial != nil {
		return denial
	}
	if principal.Reserved() {
		return v.fence(messages)
	}
	return nil
}

// fence keeps the subjects that are reserved for probes, whoever signed for them, to what a probe needs: it finds the
// server, lists what it has, and ends its session. It opens no stream, and knows no path but the MCP endpoint.
func (v *visit) fence(messages []message.Message) *deny.Denial {
	switch {
	case v.isExtraPath():
		return deny.Reserved().Because("an extra path")
	case v.request.Method == http.MethodPost:
		return authorize.Fence(messages)
	case v.request.Method == http.MethodDelete:
		return nil
	default:
		return deny.Reserved().Because("HTTP method %s", redact.Method(v.request.Method))
	}
}

// isExtraPath tells a path into which rules do not see.
func (v *visit) isExtraPath() bool {
	return slices.Contains(v.snapshot.Config.Upstream.ExtraPaths, v.request.URL.EscapedPath())
}
