package authprobe

import (
	"slices"
	"strings"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/token"
)

// noSuchTool is a name that no server has: should a gate that is broken let the call pass, nothing happens.
const noSuchTool = "gatehouse-probe-no-such-tool"

const (
	listTools = "tools/list"
	callTool  = "tools/call"
)

// policyOf is what the gate must enforce beside the tokens.
func policyOf(server *v1alpha1.MCPServer) probe.Policy {
	auth := v1alpha1.Auth{}
	if server.Spec.Auth != nil {
		auth = *server.Spec.Auth
	}
	out := probe.Policy{
		SessionBinding: auth.SessionBinding != v1alpha1.SessionBindingOff,
		RevokedID:      desired.RevokedID(server),
		Hosts:          true,
		Origins:        true,
		BodyBytes:      desired.Resolve(server).BodyBytes,
	}
	if auth.Authorization == nil {
		return out
	}
	out.RequiredScopes = auth.Authorization.RequiredScopes
	for _, call := range []probe.Call{{Method: callTool, Name: noSuchTool}, {Method: listTools}} {
		if isClosed(*auth.Authorization, call) {
			out.Forbidden = append(out.Forbidden, call)
		}
	}
	return out
}

// isClosed tells that nobody may make the call, because no rule speaks of it, and what none speaks of is denied.
func isClosed(a v1alpha1.Authorization, call probe.Call) bool {
	if slices.ContainsFunc(a.Rules, func(r v1alpha1.Rule) bool { return speaks(r, call) }) {
		return false
	}
	return a.DefaultAction == v1alpha1.ActionDeny ||
		call.Name != "" && slices.ContainsFunc(a.Rules, func(r v1alpha1.Rule) bool { return len(r.Tools) > 0 })
}

// speaks tells whether a rule is about the call of a tool, or about tools/list (authproxy.Rule).
func speaks(r v1alpha1.Rule, call probe.Call) bool {
	if call.Name != "" && len(r.Tools) > 0 {
		return names(r.Tools, call.Name)
	}
	return names(r.Methods, call.Method)
}

// names tells whether one of the patterns, which may end with "*", is the name's.
func names(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		prefix, open := strings.CutSuffix(pattern, "*")
		return pattern == name || open && strings.HasPrefix(name, prefix)
	})
}

// entitled gives the control what it needs to open a session and list the tools: the scopes that all need, and where
// rules speak of tools/list, those and the claims of the first of them.
func entitled(tokens token.Template, server *v1alpha1.MCPServer) token.Template {
	if server.Spec.Auth == nil || server.Spec.Auth.Authorization == nil {
		return tokens
	}
	authorization := *server.Spec.Auth.Authorization
	scopes := slices.Clone(authorization.RequiredScopes)
	first := slices.IndexFunc(authorization.Rules, func(r v1alpha1.Rule) bool { return speaks(r, probe.Call{Method: listTools}) })
	if first >= 0 {
		rule := authorization.Rules[first]
		scopes = append(scopes, rule.Scopes...)
		claims := map[string]any{}
		for _, claim := range rule.Claims {
			claims[claim.Name] = claim.Values[0]
		}
		tokens = tokens.With(claims)
	}
	slices.Sort(scopes)
	tokens.Scope = strings.Join(slices.Compact(scopes), " ")
	return tokens
}
