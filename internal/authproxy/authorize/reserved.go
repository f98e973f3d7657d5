package authorize

import (
	"slices"

	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/deny"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/message"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/redact"
)

// reserved are the methods of a caller whose subject is reserved for probes: those by which client and server find
// together, and those that list what there is.
var reserved = []string{
	"initialize", "notifications/initialized", "server/discover", "ping",
	"tools/list", "prompts/list", "resources/list", "resources/templates/list",
}

// Fence judges what a caller asks whose subject is reserved for probes, behind Policy.Judge: there must be a message, and
// each must be of one of a few methods that do nothing. A response, which might answer what the server asked somebody
// else, is none.
func Fence(messages []message.Message) *deny.Denial {
	if len(messages) == 0 {
		return deny.Reserved().Because("no message")
	}
	for _, m := range messages {
		if !slices.Contains(reserved, m.Method) {
			return deny.Reserved().Because("method %q", redact.Name(m.Method))
		}
	}
	return nil
}
