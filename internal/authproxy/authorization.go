package authproxy

import (
	"maps"
	"slices"
)

// Action is what happens to a request that no Rule speaks of.
type Action string

// The actions. The zero value is ActionAllow: a good token opens, unless something more is asked.
const (
	ActionAllow Action = "Allow"
	ActionDeny  Action = "Deny"
)

// Authorization says what the bearer of an accepted token may do.
type Authorization struct {
	// RequiredScopes must all be in the token's "scope", whatever is asked.
	RequiredScopes []string `json:"requiredScopes,omitempty"`
	// DefaultAction is for messages that no rule speaks of. The methods by which client and server find together
	// (initialize, server/discover, ping, notifications) never need a rule. If any rule names tools, a tools/call that
	// none speaks of is denied, whatever stands here; and likewise for prompts and resources.
	DefaultAction Action `json:"defaultAction,omitempty"`
	// Rules are alternatives: a message that some rules speak of is allowed if it meets one of them.
	Rules []Rule `json:"rules,omitempty"`
}

// Rule speaks of the messages that it names, and says what their sender must have. At least one of Methods, Tools,
// Prompts and Resources is set. A name is exact, case included, or ends with "*" and stands for all that begin so.
type Rule struct {
	// Methods are JSON-RPC methods, such as "tools/call" or "resources/*".
	Methods []string `json:"methods,omitempty"`
	// Tools are those that "tools/call" calls.
	Tools []string `json:"tools,omitempty"`
	// Prompts are those that "prompts/get" gets.
	Prompts []string `json:"prompts,omitempty"`
	// Resources are URIs that "resources/read", "resources/subscribe" and "resources/unsubscribe" name.
	Resources []string `json:"resources,omitempty"`
	// Scopes must all be in the token.
	Scopes []string `json:"scopes,omitempty"`
	// Claims must all match.
	Claims []ClaimMatch `json:"claims,omitempty"`
}

// ClaimMatch wants a claim to have one of the values: a string that equals one, or an array of strings that holds one.
type ClaimMatch struct {
	Name   string   `json:"name"`
	Values []string `json:"values"`
}

// JudgesBodies tells whether a message must be read before its sender's rights are known.
func (a Authorization) JudgesBodies() bool { return len(a.Rules) > 0 || a.DefaultAction == ActionDeny }

// ClaimsUsed names the claims of a token that something here asks for by name: who the caller is, what rules want, and
// what the server is told. They are sorted, each once. A verified token need not keep any other.
func (c Config) ClaimsUsed() []string {
	used := map[string]bool{}
	for _, provider := range c.Providers {
		for _, name := range provider.IdentityClaims {
			used[name] = true
		}
	}
	for _, rule := range c.Authorization.Rules {
		for _, claim := range rule.Claims {
			used[claim.Name] = true
		}
	}
	for _, header := range c.Upstream.ClaimHeaders {
		used[header.Claim] = true
	}
	return slices.Sorted(maps.Keys(used))
}
