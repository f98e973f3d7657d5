package probe

import (
	"slices"
	"strings"
)

// Policy is what a gate enforces beside the tokens. What is not set is not asked.
type Policy struct {
	// RequiredScopes are those that every token needs. The positive control has them all.
	RequiredScopes []string
	// Forbidden are calls that the positive control may not make.
	Forbidden []Call
	// ProbeRestricted: whose subject is reserved for probes may list and do nothing, whatever rules allow. It is asked of
	// issuers whose positive control goes by such a subject.
	ProbeRestricted bool
	// Allowed are calls that rules let the positive control make, as far as that is known; asked for if ProbeRestricted. Name calls
	// there that do no harm.
	Allowed []Call
	// Absent is a name that no tool, prompt or resource has, as it stands in the calls here; reports tell nothing of it.
	// Empty is AbsentName of the check's seed.
	Absent string
	// SessionBinding: a session belongs to the caller who opened it.
	SessionBinding bool
	// RuleCases are calls for which rules want scopes or claims of their own.
	RuleCases []RuleCase
	// RevokedID is a "jti" on the gate's list of what is revoked, RevokedSubject a "sub" on it, and RevokedBefore a "sub"
	// whose tokens of today are too old for it.
	RevokedID, RevokedSubject, RevokedBefore string
	// TokenBytes is the longest token that the gate takes; 0 is no bound.
	TokenBytes int
	// Slash says what the path with one more slash at its end is.
	Slash Slash
	// ExtraPaths are further paths that the gate passes on, for whoever has a token.
	ExtraPaths []string
	// HealthPaths are those at which the gate itself tells anybody whether it is ready.
	HealthPaths []string
	// Metadata is the protected resource metadata that the gate publishes; nil if it publishes none.
	Metadata *ResourceMetadata
	// Hosts: a Host that is no name of the server is refused. Origins: so is the page of a foreign origin.
	Hosts, Origins bool
	// BodyBytes is the longest body that the gate takes; 0 is no bound.
	BodyBytes int64
}

// Label is what reports call a call: without the name that is another one in each check, so that a finding reads the same
// as long as it is the same.
func (p Policy) Label(method, name string) string {
	return strings.TrimSpace(strings.ReplaceAll(method+" "+name, p.Absent, "(no such name)"))
}

// Forbids reports whether the positive control may not send a message of the method that names nothing.
func (p Policy) Forbids(method string) bool {
	return slices.ContainsFunc(p.Forbidden, func(c Call) bool { return c.Method == method && c.Name == "" })
}

// Methods of MCP that are named in more than one place.
const (
	MethodPing      = "ping"
	MethodListTools = "tools/list"
	MethodCallTool  = "tools/call"
)

// Call is something that a token may be good for or not.
type Call struct {
	// Method is a JSON-RPC method, such as "tools/call" or "resources/read".
	Method string
	// Name is the tool, the prompt or the URI of the resource; empty where the method has none.
	Name string
	// Scopes are all that a token needs for the call. Empty: no scope would help.
	Scopes []string
}

// Params are those of the message by which the call is tried: what it names, and no arguments.
func (c Call) Params() map[string]any {
	params := map[string]any{}
	if strings.HasPrefix(c.Method, "resources/") && c.Name != "" {
		params["uri"] = c.Name
	} else if c.Name != "" {
		params["name"] = c.Name
	}
	return params
}

// RuleCase is a call for which a rule wants more of a token than the positive control has, and what one token for it lacks.
type RuleCase struct {
	// Method and Name are those of a Call. Should a gate let it pass, it must do nothing on any server: it is a method that
	// lists, or what it names is not there.
	Method, Name string
	// Scopes are all that a token needs for the call, and Claims those that it needs beside the positive control's. With them
	// the gate lets the call pass.
	Scopes []string
	Claims map[string]any
	// WithoutScope or WithoutClaim, one of them, is what the token lacks. The gate must refuse it for that: for want of
	// all Scopes, or for good.
	WithoutScope, WithoutClaim string
}

// Slash says what the path with one more slash at its end is.
type Slash string

const (
	// SlashDistinct: another path, which is not there.
	SlashDistinct Slash = "Distinct"
	// SlashSame: the same path.
	SlashSame Slash = "Same"
)

// ResourceMetadata is the protected resource metadata of RFC 9728.
type ResourceMetadata struct {
	// Resource is the URL that clients use for the server.
	Resource string
	// AuthorizationServers are issuer URLs.
	AuthorizationServers []string
}
