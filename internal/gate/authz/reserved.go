package authz

import (
	"slices"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/authz/message"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/deny"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/telemetry/redact"
)

// reserved are the methods of a caller whose subject is reserved for probes: those by which client and server find
// together, and those that list what there is.
var probeMethods = []string{
	"initialize", "notifications/initialized", "server/discover", "ping",
	"tools/list", "prompts/list", "resources/list", "resources/templates/list",
}

// RestrictProbe judges what a caller asks whose subject is reserved for probes, behind Policy.Judge: there must be a message, and
// each must be of one of a few methods that do nothing. A response, which might answer what the server asked somebody
// else, is none.
func RestrictProbe(messages []message.Message) *deny.Denial {
	if len(messages) == 0 {
		return deny.ReservedSubject().WithDetail("no message")
	}
	for _, m := range messages {
		if !slices.Contains(probeMethods, m.Method) {
			return deny.ReservedSubject().WithDetail("method %q", redact.Name(m.Method))
		}
	}
	return nil
}
