package client

import (
	"slices"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
)

// toolCall calls a tool that the server has, by its name, should the gate let it pass: one that only reads, or that cannot do
// without the arguments that it does not get. Where there is none, it is one that no server has. The arguments are no object,
// which servers refuse, and the call comes outside of any session.
func (c *Client) toolCall() Message {
	name := c.Target.Policy.Absent
	safe := func(t probe.Tool) bool { return t.Annotations.ReadOnlyHint || len(t.InputSchema.Required) > 0 }
	if i := slices.IndexFunc(c.Tools, safe); i >= 0 {
		name = c.Tools[i].Name
	}
	return Message{Method: probe.MethodCallTool, Params: map[string]any{"name": name, "arguments": "none"}, ID: c.ID()}
}
