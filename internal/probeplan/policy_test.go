package probeplan

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/token"
)

// noSuch is a name that no server has.
const noSuch = "export_report_1"

func ruled(a v1alpha1.Authorization) *v1alpha1.MCPServer {
	server := &v1alpha1.MCPServer{}
	server.Spec.Auth = &v1alpha1.Auth{Authorization: &a}
	return server
}

// minting is the template of an issuer whose key the operator has.
func minting(t *testing.T) token.Template {
	t.Helper()
	key, err := keys.Generate(keys.EdDSA)
	if err != nil {
		t.Fatal(err)
	}
	return token.Template{Key: key, Issuer: "urn:issuer", Audience: "urn:server", Subject: gateapi.ProbeSubject}
}

// What the control may not do, and what it is given so that it can open a session and list the tools.
func TestPolicyOfRules(t *testing.T) {
	call, list := probe.Call{Method: callTool, Name: noSuch}, probe.Call{Method: listTools}
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
		"a list for another issuer's callers": {v1alpha1.Authorization{Rules: []v1alpha1.Rule{
			{Methods: []string{listTools}, Claims: []v1alpha1.ClaimMatch{{Name: "iss", Values: []string{"urn:other"}}}},
		}}, []probe.Call{list}, ""},
		"a list for this issuer's callers": {v1alpha1.Authorization{Rules: []v1alpha1.Rule{
			{Methods: []string{listTools}, Claims: []v1alpha1.ClaimMatch{{Name: "iss", Values: []string{"urn:other", "urn:issuer"}}}},
		}}, nil, ""},
	} {
		server := ruled(c.authorization)
		control := entitled(minting(t), server)
		if got := policyOf(server, control, noSuch).Forbidden; !slices.EqualFunc(got, c.forbidden, func(a, b probe.Call) bool { return a.Method == b.Method && a.Name == b.Name }) {
			t.Errorf("%s: forbidden are %v, want %v", name, got, c.forbidden)
		}
		if control.Scope != c.scope {
			t.Errorf("%s: the control has scope %q, want %q", name, control.Scope, c.scope)
		}
	}
}

// Of a token that somebody else has minted nobody knows what it may do, so only what nobody may is forbidden.
func TestRightsOfABroughtToken(t *testing.T) {
	server := ruled(v1alpha1.Authorization{DefaultAction: v1alpha1.ActionDeny, Rules: []v1alpha1.Rule{
		{Methods: []string{listTools}, Claims: []v1alpha1.ClaimMatch{{Name: "iss", Values: []string{"urn:other"}}}},
	}})
	if got := policyOf(server, token.Template{}, noSuch).Forbidden; len(got) != 1 || got[0].Method != callTool {
		t.Errorf("forbidden are %v", got)
	}
}

func TestControlHasTheClaimsOfTheRuleForTheList(t *testing.T) {
	server := ruled(v1alpha1.Authorization{Rules: []v1alpha1.Rule{
		{Tools: []string{"x"}, Claims: []v1alpha1.ClaimMatch{{Name: "group", Values: []string{"no"}}}},
		{Methods: []string{"*"}, Claims: []v1alpha1.ClaimMatch{{Name: "group", Values: []string{"yes", "too"}}}},
	}})
	if got := entitled(minting(t), server).Claims["group"]; got != "yes" {
		t.Errorf("claim group is %v", got)
	}
}

// By which calls rules are tried, and what the tokens lack.
func TestGuardedCalls(t *testing.T) {
	group := []v1alpha1.ClaimMatch{{Name: "group", Values: []string{"staff", "admins"}}}
	for name, c := range map[string]struct {
		required []string
		rules    []v1alpha1.Rule
		want     []string
	}{
		"a list": {nil, []v1alpha1.Rule{{Methods: []string{"prompts/list"}, Scopes: []string{"p"}}}, []string{"prompts/list  -p [p]"}},
		"each scope and claim, beside what all need": {
			[]string{"r"}, []v1alpha1.Rule{{Methods: []string{listTools}, Scopes: []string{"a", "b", "r"}, Claims: group}},
			[]string{"tools/list  !group [a b r]", "tools/list  -a [a b r]", "tools/list  -b [a b r]"},
		},
		"every tool":                 {nil, []v1alpha1.Rule{{Methods: []string{callTool}, Scopes: []string{"s"}}}, []string{"tools/call " + noSuch + " -s [s]"}},
		"tools by their beginning":   {nil, []v1alpha1.Rule{{Tools: []string{"rm", "del-*"}, Scopes: []string{"s"}}}, []string{"tools/call del-" + noSuch + " -s [s]"}},
		"tools one by one":           {nil, []v1alpha1.Rule{{Tools: []string{"rm"}, Scopes: []string{"s"}}}, nil},
		"a method that may act":      {nil, []v1alpha1.Rule{{Methods: []string{"logging/setLevel"}, Scopes: []string{"s"}}}, nil},
		"methods by their beginning": {nil, []v1alpha1.Rule{{Methods: []string{"acme/*"}, Scopes: []string{"s"}}}, []string{"acme/" + noSuch + "  -s [s]"}},
		"prompts and resources": {
			nil, []v1alpha1.Rule{{Prompts: []string{"p*"}, Resources: []string{"file:///a/*"}, Scopes: []string{"s"}}},
			[]string{"prompts/get p" + noSuch + " -s [s]", "resources/unsubscribe file:///a/" + noSuch + " -s [s]"},
		},
		"resources that are read": {
			nil, []v1alpha1.Rule{{Methods: []string{"resources/read"}, Resources: []string{"file:///a/*"}, Scopes: []string{"s"}}},
			[]string{"resources/read file:///a/" + noSuch + " -s [s]"},
		},
		"an alternative that is met": {
			nil, []v1alpha1.Rule{{Methods: []string{listTools}, Scopes: []string{"s"}}, {Methods: []string{"tools/*"}}}, nil,
		},
		"an alternative for whoever lacks it": {
			nil, []v1alpha1.Rule{{Methods: []string{listTools}, Scopes: []string{"s"}}, {Methods: []string{listTools}, Scopes: []string{"t"}}},
			[]string{"tools/list  -s [s]"}, // without t the gate asks for s, which is enough
		},
		"two rules that want the same": {
			nil, []v1alpha1.Rule{{Methods: []string{listTools}, Scopes: []string{"s"}}, {Methods: []string{"tools/*"}, Scopes: []string{"s"}}},
			[]string{"tools/list  -s [s]"},
		},
		"another issuer's callers": {
			nil, []v1alpha1.Rule{{Methods: []string{listTools}, Scopes: []string{"s"}, Claims: []v1alpha1.ClaimMatch{{Name: "iss", Values: []string{"urn:other"}}}}}, nil,
		},
		"callers by name": {
			nil, []v1alpha1.Rule{{Methods: []string{"prompts/list"}, Claims: []v1alpha1.ClaimMatch{{Name: "sub", Values: []string{"alice"}}}}}, nil,
		},
	} {
		server := ruled(v1alpha1.Authorization{RequiredScopes: c.required, Rules: c.rules})
		var got []string
		for _, g := range policyOf(server, entitled(minting(t), server), noSuch).RuleCases {
			lacks := "-" + g.WithoutScope
			if g.WithoutClaim != "" {
				lacks = "!" + g.WithoutClaim
			}
			got = append(got, fmt.Sprintf("%s %s %s %v", g.Method, g.Name, lacks, g.Scopes))
		}
		slices.Sort(got)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s:\ngot  %s\nwant %s", name, strings.Join(got, "; "), strings.Join(c.want, "; "))
		}
	}
}

// A probe's subject is tried with a call that every control may make: else the rules would refuse it first.
func TestCallsThatRulesAllow(t *testing.T) {
	signed := Control{Provider: probe.Provider{Tokens: minting(t)}}
	foreign := Control{Provider: probe.Provider{Tokens: minting(t)}}
	foreign.Tokens.Issuer = "urn:other"
	brought := Control{Provider: probe.Provider{Bearer: "brought"}}
	ofOne := v1alpha1.Authorization{Rules: []v1alpha1.Rule{
		{Methods: []string{callTool}, Claims: []v1alpha1.ClaimMatch{{Name: "iss", Values: []string{"urn:issuer"}}}},
	}}
	for name, c := range map[string]struct {
		authorization v1alpha1.Authorization
		controls      []Control
		want          int
	}{
		"no rules":                  {v1alpha1.Authorization{}, []Control{signed, foreign}, 1},
		"nothing is allowed":        {v1alpha1.Authorization{DefaultAction: v1alpha1.ActionDeny}, []Control{signed}, 0},
		"one issuer's callers":      {ofOne, []Control{signed}, 1},
		"not every issuer's":        {ofOne, []Control{signed, foreign}, 0},
		"beside a token of unknown": {ofOne, []Control{signed, brought}, 1},
	} {
		if got := rightsOf(ruled(c.authorization), noSuch).allowed(c.controls); len(got) != c.want {
			t.Errorf("%s: allowed are %v, want %d", name, got, c.want)
		}
	}
}

func TestPolicyOfTheGate(t *testing.T) {
	server := ruled(v1alpha1.Authorization{})
	server.UID = "1"
	tokenBytes := int32(1024)
	server.Spec.Auth.Limits = &v1alpha1.Limits{TokenBytes: &tokenBytes}
	server.Spec.Auth.ResourceMetadata = &v1alpha1.ResourceMetadata{Resource: "https://mcp.example/mcp", AuthorizationServers: []string{"https://as.example"}}
	server.Spec.Gate = &v1alpha1.Gate{TrailingSlash: v1alpha1.TrailingSlashSame, ExtraPaths: []string{"/files"}}
	got := policyOf(server, minting(t), noSuch)
	if got.TokenBytes != 1024 || got.Slash != probe.SlashSame || !slices.Equal(got.ExtraPaths, []string{"/files"}) ||
		got.Metadata == nil || got.Metadata.Resource != "https://mcp.example/mcp" ||
		got.RevokedID != "gatehouse-probe-revoked-1" || got.RevokedSubject != got.RevokedID || got.RevokedBefore != "gatehouse-probe-outdated-1" {
		t.Errorf("%+v", got)
	}
	if got := policyOf(&v1alpha1.MCPServer{}, minting(t), noSuch); got.Slash != probe.SlashDistinct || got.Metadata != nil || got.TokenBytes != 8192 {
		t.Errorf("by default %+v", got)
	}
}
