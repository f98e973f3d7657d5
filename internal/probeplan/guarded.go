package probeplan

import (
	"maps"
	"slices"
	"strings"

	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/token"
)

// guarded are calls that a token may make only with each of the scopes and claims that a rule wants. Of what a rule names
// one by one there are none: it is on the server, and would be done if the gate were open.
func (r rights) guarded(control token.Template) []probe.RuleCase {
	base := withScopes(control, r.required)
	var all []probe.RuleCase
	for _, rule := range r.rules {
		full, able := meeting(base, rule)
		if !able {
			continue
		}
		for _, kind := range r.harmless(rule) {
			for _, call := range kind {
				if found := r.lacks(full, rule, call); len(found) > 0 {
					all = append(all, found...)
					break
				}
			}
		}
	}
	slices.SortStableFunc(all, compareGuarded)
	return slices.CompactFunc(all, func(a, b probe.RuleCase) bool { return compareGuarded(a, b) == 0 })
}

// compareGuarded goes by what is asked and what is missing: that several rules want it is one question.
func compareGuarded(a, b probe.RuleCase) int {
	return slices.Compare(
		[]string{a.Method, a.Name, a.WithoutScope, a.WithoutClaim}, []string{b.Method, b.Name, b.WithoutScope, b.WithoutClaim},
	)
}

// harmless are calls by which a rule can be tried, by what it names; the first that the rule decides about will do. They
// list, or name what no server has.
func (r rights) harmless(rule gateapi.Rule) [][]probe.Call {
	methods := []probe.Call{
		{Method: listTools}, {Method: "prompts/list"}, {Method: "resources/list"}, {Method: "resources/templates/list"},
		{Method: callTool, Name: r.absent}, {Method: "prompts/get", Name: r.absent}, {Method: "resources/read", Name: "urn:" + r.absent},
	}
	for _, beginning := range beginnings(rule.Methods) {
		methods = append(methods, probe.Call{Method: beginning + r.absent})
	}
	if len(rule.Methods) == 0 {
		methods = nil
	}
	var tools, prompts, resources []probe.Call
	for _, beginning := range beginnings(rule.Tools) {
		tools = append(tools, probe.Call{Method: callTool, Name: beginning + r.absent})
	}
	for _, beginning := range beginnings(rule.Prompts) {
		prompts = append(prompts, probe.Call{Method: "prompts/get", Name: beginning + r.absent})
	}
	for _, beginning := range beginnings(rule.Resources) {
		for _, method := range []string{"resources/unsubscribe", "resources/read"} {
			resources = append(resources, probe.Call{Method: method, Name: beginning + r.absent})
		}
	}
	return [][]probe.Call{methods, tools, prompts, resources}
}

// beginnings are those of the patterns that stand for all names which begin so.
func beginnings(patterns []string) []string {
	var out []string
	for _, pattern := range patterns {
		if beginning, open := strings.CutSuffix(pattern, "*"); open {
			out = append(out, beginning)
		}
	}
	return out
}

// lacks are the ways in which a token that may make the call can miss one thing that the rule wants, and is refused for it.
func (r rights) lacks(full token.Template, rule gateapi.Rule, call probe.Call) []probe.RuleCase {
	if reason, _ := r.judge(full, call); reason != "" {
		return nil
	}
	ask := probe.RuleCase{Method: call.Method, Name: call.Name, Scopes: strings.Fields(full.Scope), Claims: maps.Clone(full.Claims)}
	var all []probe.RuleCase
	for _, scope := range rule.Scopes {
		if r.wantsScope(full, scope, call) {
			ask := ask
			ask.WithoutScope = scope
			all = append(all, ask)
		}
	}
	for _, claim := range rule.Claims {
		if r.wantsClaim(full, claim.Name, call) {
			ask := ask
			ask.WithoutClaim = claim.Name
			all = append(all, ask)
		}
	}
	return all
}

// wantsScope tells that the token is refused without the scope, for want of all that it has. A scope that all tokens need
// is tried by itself.
func (r rights) wantsScope(full token.Template, scope string, call probe.Call) bool {
	needed := strings.Fields(full.Scope)
	without := slices.DeleteFunc(slices.Clone(needed), func(other string) bool { return other == scope })
	reason, named := r.judge(withScopes(full, without), call)
	return reason == gateapi.ReasonInsufficientScope && !slices.Contains(r.required, scope) &&
		!slices.ContainsFunc(needed, func(scope string) bool { return !slices.Contains(named, scope) })
}

// wantsClaim tells that the token is refused for good without the claim, and with another value of it.
func (r rights) wantsClaim(full token.Template, claim string, call probe.Call) bool {
	if isFixed(full, claim) {
		return false
	}
	for _, value := range []any{nil, probe.NoValue} {
		if reason, _ := r.judge(full.With(map[string]any{claim: value}), call); reason != gateapi.ReasonForbidden {
			return false
		}
	}
	return true
}
