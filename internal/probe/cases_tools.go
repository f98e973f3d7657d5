package probe

import "slices"

// tool is one of the server's, as far as it matters for calling it.
type tool struct {
	Name        string `json:"name"`
	Annotations struct {
		ReadOnlyHint bool `json:"readOnlyHint"`
	} `json:"annotations"`
	InputSchema struct {
		Required []string `json:"required"`
	} `json:"inputSchema"`
}

// toolCall calls a tool that the server has, by its name, should the gate let it pass: one that only reads, or that cannot do
// without the arguments that it does not get. Where there is none, it is one that no server has. The arguments are no object,
// which servers refuse, and the call comes outside of any session.
func (r *round) toolCall() call {
	name := r.target.Policy.Absent
	safe := func(t tool) bool { return t.Annotations.ReadOnlyHint || len(t.InputSchema.Required) > 0 }
	if i := slices.IndexFunc(r.tools, safe); i >= 0 {
		name = r.tools[i].Name
	}
	return call{method: "tools/call", params: map[string]any{"name": name, "arguments": "none"}, id: r.id()}
}
