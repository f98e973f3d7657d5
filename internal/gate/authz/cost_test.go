package authz

import (
	"fmt"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/authz/message"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

type anybody struct{}

func (anybody) HasScope(string) bool     { return true }
func (anybody) Claim(string) (any, bool) { return nil, false }

// A batch must not buy seconds of work: each method that MCP does not have is compared once, and few may be new.
func TestManyUnknownMethods_AreRefusedAndComparedOnce(t *testing.T) {
	p := New(gateapi.Authorization{Rules: []gateapi.Rule{{Methods: []string{"custom/*"}, Tools: []string{"x"}}}})
	batch := func(distinct int) []message.Message {
		var out []message.Message
		for i := range 1000 {
			out = append(out, message.Message{Kind: message.Request, Method: fmt.Sprintf("custom/%d", i%distinct)})
		}
		return out
	}
	near := nearness{policy: p}
	for _, m := range batch(16) {
		near.of(m.Method)
	}
	if len(near.known) != 16 {
		t.Errorf("%d methods were compared", len(near.known))
	}
	if denial := p.Judge(anybody{}, batch(16)); denial != nil {
		t.Errorf("16 methods: %v", denial.Message)
	}
	if denial := p.Judge(anybody{}, batch(17)); denial == nil || denial.Reason != gateapi.ReasonBadMessage {
		t.Errorf("17 methods: %v", denial)
	}
}

func TestNameOfManyPatterns_IsLookedThroughOnce(t *testing.T) {
	s := &subject{name: "file:///a/b"}
	flat := false
	s.climbs = &flat // as if it had been looked at
	r := compile(gateapi.Rule{Resources: []string{"file:///a/*", "file:///*"}})
	s.target, s.method = message.Resource, "resources/read"
	if !r.speaksOf(s) || s.climbs != &flat {
		t.Error("the name was looked through again")
	}
}
