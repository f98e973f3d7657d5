package authprobe

import (
	"slices"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/token"
)

func ruled(a v1alpha1.Authorization) *v1alpha1.MCPServer {
	server := &v1alpha1.MCPServer{}
	server.Spec.Auth = &v1alpha1.Auth{Authorization: &a}
	return server
}

// What the control may not do, and what it is given so that it can open a session and list the tools.
func TestPolicyOfRules(t *testing.T) {
	call, list := probe.Call{Method: callTool, Name: noSuchTool}, probe.Call{Method: listTools}
	for name, c := range map[string]struct {
		authorization v1alpha1.Authorization
		forbidden     []probe.Call
		scope         string
	}{
		"no rules":                    {v1alpha1.Authorization{RequiredScopes: []string{"a"}}, nil, "a"},
		"nothing is allowed":          {v1alpha1.Authorization{DefaultAction: v1alpha1.ActionDeny}, []probe.Call{call, list}, ""},
		"a rule for one tool":         {v1alpha1.Authorization{Rules: []v1alpha1.Rule{{Tools: []string{"x"}, Scopes: []string{"s"}}}}, []probe.Call{call}, ""},
		"a rule for all tools":        {v1alpha1.Authorization{Rules: []v1alpha1.Rule{{Tools: []string{"*"}, Scopes: []string{"s"}}}}, nil, ""},
		"a rule for all calls beside": {v1alpha1.Authorization{Rules: []v1alpha1.Rule{{Tools: []string{"x"}}, {Methods: []string{callTool}}}}, nil, ""},
		"a rule for the list": {v1alpha1.Authorization{RequiredScopes: []string{"b"}, DefaultAction: v1alpha1.ActionDeny,
			Rules: []v1alpha1.Rule{{Methods: []string{"tools/*"}, Tools: []string{"x"}, Scopes: []string{"a", "b"}}}}, []probe.Call{call}, "a b"},
	} {
		server := ruled(c.authorization)
		if got := policyOf(server).Forbidden; !slices.EqualFunc(got, c.forbidden, func(a, b probe.Call) bool { return a.Method == b.Method && a.Name == b.Name }) {
			t.Errorf("%s: forbidden are %v, want %v", name, got, c.forbidden)
		}
		if got := entitled(token.Template{}, server).Scope; got != c.scope {
			t.Errorf("%s: the control has scope %q, want %q", name, got, c.scope)
		}
	}
}

func TestControlHasTheClaimsOfTheRuleForTheList(t *testing.T) {
	server := ruled(v1alpha1.Authorization{Rules: []v1alpha1.Rule{
		{Tools: []string{"x"}, Claims: []v1alpha1.ClaimMatch{{Name: "group", Values: []string{"no"}}}},
		{Methods: []string{"*"}, Claims: []v1alpha1.ClaimMatch{{Name: "group", Values: []string{"yes", "too"}}}},
	}})
	if got := entitled(token.Template{}, server).Claims["group"]; got != "yes" {
		t.Errorf("claim group is %v", got)
	}
}
