package gateapi

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
//
// Whoever lacks RequiredScopes is refused. Then, if there are Rules or DefaultAction is ActionDeny, each message of the
// body is judged: it is allowed if it meets one of the rules that speak of it, and refused if it meets none of them. Of
// a batch all must be allowed. What is no message of a POST to the MCP endpoint (GET, DELETE, Upstream.ExtraPaths)
// needs RequiredScopes only.
//
// A refusal asks for scopes where scopes would help: for RequiredScopes and those of the rule that wants fewest more.
// Where only claims are wrong, or no rule fits, it is final.
type Authorization struct {
	// RequiredScopes must all be in the token's "scope", whatever is asked.
	RequiredScopes []string `json:"requiredScopes,omitempty"`
	// DefaultAction is for messages that no rule speaks of, with two exceptions. The methods by which client and server
	// find together (initialize, server/discover, ping, notifications/*) are allowed then. And if any rule names tools,
	// a tools/call that none speaks of is denied: a tool may have further names that only the server knows. Likewise for
	// prompts and resources.
	//
	// Methods are compared exactly, but for one that differs from a judged one in case, or in white space or slashes
	// around it: that is no method of anybody's, and a bad request.
	DefaultAction Action `json:"defaultAction,omitempty"`
	// Rules are alternatives: their order does not matter, and a rule never takes away what another gives.
	Rules []Rule `json:"rules,omitempty"`
}

// Rule speaks of the messages that it names, and says what their sender must have. At least one of Methods, Tools,
// Prompts and Resources is set. A name is exact, case included, or ends with "*" and stands for all that begin so.
//
// Of a message that names nothing (tools/list) a rule speaks if its method is among Methods. Of one that names a tool
// (prompt, resource), it depends on whether the rule has Tools (Prompts, Resources). Without, the method decides
// likewise. With, the tool must be among them; and if Methods has any method that names tools, the method as well:
//
//	{methods: [tools/call]}                               every call
//	{tools: [x]}                                          calls of x
//	{methods: [tools/call], tools: [x]}                   the same
//	{methods: [tools/list], tools: [x]}                   tools/list, and calls of x
//	{methods: ["*"], tools: [x]}                          all methods, but calls of x only
//	{resources: ["file:///a/*"]}                          read, subscribe and so on, of what is below
//	{methods: [resources/read], resources: ["file:///a"]} read, but not subscribe
//	{methods: ["tools/*", "prompts/get"], tools: [x]}     tools/list, calls of x, and every prompt
//
// Responses are not judged.
type Rule struct {
	// Methods are JSON-RPC methods, such as "tools/call" or "resources/*". A "*" does not stand for the methods by which
	// client and server find together; a rule that writes one out speaks of it.
	Methods []string `json:"methods,omitempty"`
	// Tools are those that "tools/call" calls. What becomes of a call (tasks/*) does not name its tool.
	Tools []string `json:"tools,omitempty"`
	// Prompts are those that "prompts/get" gets, and that a "completion/complete" is for.
	Prompts []string `json:"prompts,omitempty"`
	// Resources are URIs that "resources/read", "resources/subscribe" and "resources/unsubscribe" name, each that a
	// "subscriptions/listen" names, and the template that a "completion/complete" is for. They are compared as they are
	// spelled. A URI with a ".." segment, escaped or not, with an escaped "%", or with an escape that is broken or no UTF-8,
	// is none of those that a "*" stands for, unless nothing is before it.
	Resources []string `json:"resources,omitempty"`
	// Scopes must all be in the token.
	Scopes []string `json:"scopes,omitempty"`
	// Claims must all match.
	Claims []ClaimMatch `json:"claims,omitempty"`
}

// ClaimMatch wants a claim to have one of the values: to be one, or a list with one in it. Strings are compared byte for
// byte, booleans with "true" and "false", numbers by their value; see claimpath.Holds. A claim that is absent, null or an
// object does not match.
type ClaimMatch struct {
	// Name is as package claimpath has it: "client_id", or "/realm_access/roles" for what is inside of another claim.
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
