package probe

import "testing"

// TestToolCall: the tool that is called reads only, or wants arguments that it does not get; else it is one that nobody has.
func TestToolCall(t *testing.T) {
	reads, wants, acts := tool{Name: "reads"}, tool{Name: "wants"}, tool{Name: "acts"}
	reads.Annotations.ReadOnlyHint, wants.InputSchema.Required = true, []string{"id"}
	for want, tools := range map[string][]tool{"reads": {acts, reads, wants}, "wants": {acts, wants}, "absent": {acts}} {
		r := &round{tools: tools, seed: 1}
		r.draw, r.target.Policy.Absent = r.drawFor(Varied), "absent"
		got := r.toolCall()
		if _, isObject := got.params["arguments"].(map[string]any); got.params["name"] != want || isObject {
			t.Errorf("%+v, want %s", got, want)
		}
	}
}
