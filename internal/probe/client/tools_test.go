package client

import (
	"math/rand/v2"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
)

// TestToolCall: the tool that is called reads only, or wants arguments that it does not get; else it is one that nobody has.
func TestToolCall(t *testing.T) {
	reads, wants, acts := probe.Tool{Name: "reads"}, probe.Tool{Name: "wants"}, probe.Tool{Name: "acts"}
	reads.Annotations.ReadOnlyHint, wants.InputSchema.Required = true, []string{"id"}
	for want, tools := range map[string][]probe.Tool{"reads": {acts, reads, wants}, "wants": {acts, wants}, "absent": {acts}} {
		c := &Client{Tools: tools, draw: rand.New(rand.NewPCG(1, 0))}
		c.Target.Policy.Absent = "absent"
		got := c.toolCall()
		if _, isObject := got.Params["arguments"].(map[string]any); got.Params["name"] != want || isObject {
			t.Errorf("%+v, want %s", got, want)
		}
	}
}
