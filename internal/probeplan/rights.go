package probeplan

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired/gateconfig"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/authz"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/authz/message"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/token"
)

const (
	listTools = "tools/list"
	callTool  = "tools/call"
)

// rights are what tokens may do. They are judged by the gate's own policy, so that prober and gate read rules in the same
// way; whether the gate then does what it says is what the prober asks.
type rights struct {
	policy   *authz.Policy
	required []string
	rules    []gateapi.Rule
	// absent is a name that no server has, for calls that are to do nothing.
	absent string
}

func rightsOf(server *v1alpha1.MCPServer, absent string) rights {
	authorization := gateconfig.Authorization(server)
	return rights{policy: authz.New(authorization), required: authorization.RequiredScopes, rules: authorization.Rules, absent: absent}
}

// judge tells what the gate must say of a call with a token of the template; "" is nothing. scopes are those that a
// refusal for want of them names.
func (r rights) judge(tokens token.Template, call probe.Call) (reason gateapi.Reason, scopes []string) {
	messages, err := messagesOf(call)
	if err != nil {
		return gateapi.ReasonBadMessage, nil
	}
	denial := r.policy.Judge(bearer{tokens}, messages)
	if denial == nil {
		return "", nil
	}
	return denial.Reason, denial.Scopes()
}

// messagesOf reads the call as the gate does.
func messagesOf(call probe.Call) ([]message.Message, error) {
	body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 1, "method": call.Method, "params": call.Params()})
	if err != nil {
		return nil, err
	}
	document, err := message.Parse(body)
	return document.Messages, err
}

// bearer is who has a token of the template.
type bearer struct{ token.Template }

// HasScope implements authz.Caller.
func (b bearer) HasScope(scope string) bool { return slices.Contains(strings.Fields(b.Scope), scope) }

// Claim implements authz.Caller.
func (b bearer) Claim(name string) (value any, present bool) {
	if value, present = b.Claims[name]; present {
		return value, value != nil
	}
	text := map[string]string{"iss": b.Issuer, "aud": b.Audience, "sub": b.Subject, "client_id": b.Subject, "scope": b.Scope}[name]
	return text, text != ""
}

// isFixed tells claims that no token gets another value of to meet a rule: those that decide whether it is good at all, and
// who its bearer is, which must stay somebody who can do nothing.
func isFixed(tokens token.Template, claim string) bool {
	return slices.Contains([]string{"iss", "aud", "exp", "nbf", "iat", "cnf", "scope", "scp", "sub", gateapi.ProbePodClaim}, claim) ||
		slices.Contains(tokens.IdentityClaims(), claim)
}

// meeting gives a token what a rule wants of it, beside what it has. It is false where no token of the prober can have it.
func meeting(tokens token.Template, rule gateapi.Rule) (token.Template, bool) {
	able, claims := true, map[string]any{}
	for _, claim := range rule.Claims {
		value, _ := bearer{tokens}.Claim(claim.Name)
		if text, isText := value.(string); isText && slices.Contains(claim.Values, text) {
			continue
		}
		able = able && !isFixed(tokens, claim.Name)
		claims[claim.Name] = claim.Values[0]
	}
	return withScopes(tokens.With(claims), append(strings.Fields(tokens.Scope), rule.Scopes...)), able
}

func withScopes(tokens token.Template, scopes []string) token.Template {
	scopes = slices.Clone(scopes)
	slices.Sort(scopes)
	tokens.Scope = strings.Join(slices.Compact(scopes), " ")
	return tokens
}

// entitled gives the control what it needs to open a session and list the tools: the scopes that all need, and where
// rules speak of tools/list, those and the claims of the first of them that it can meet.
func entitled(tokens token.Template, server *v1alpha1.MCPServer) token.Template {
	serverRights := rightsOf(server, "")
	tokens = withScopes(tokens, append(strings.Fields(tokens.Scope), serverRights.required...))
	for _, rule := range serverRights.rules {
		if reason, _ := serverRights.judge(tokens, probe.Call{Method: listTools}); reason == "" {
			break
		}
		full, able := meeting(tokens, rule)
		if reason, _ := serverRights.judge(full, probe.Call{Method: listTools}); able && reason == "" {
			return full
		}
	}
	return tokens
}

// forbidden are the calls that no token of the issuer may make. Of one that somebody else has minted it is not known which
// claims it has.
func (r rights) forbidden(control token.Template) []probe.Call {
	known := control.Key.Algorithm() != ""
	var out []probe.Call
	for _, call := range []probe.Call{{Method: callTool, Name: r.absent}, {Method: listTools}} {
		reason, _ := r.judge(control, call)
		opened := slices.ContainsFunc(r.rules, func(rule gateapi.Rule) bool {
			full, able := meeting(control, rule)
			reason, _ := r.judge(full, call)
			return reason == "" && (able || !known)
		})
		if reason == gateapi.ReasonForbidden && !opened {
			out = append(out, call)
		}
	}
	return out
}

// allowed are calls that rules let each of the controls make which the operator signs, and which do nothing.
func (r rights) allowed(controls []Control) []probe.Call {
	call := probe.Call{Method: callTool, Name: r.absent}
	for _, with := range controls {
		if with.Tokens.Key.Algorithm() == "" {
			continue
		}
		if reason, _ := r.judge(with.Tokens, call); reason != "" {
			return nil
		}
	}
	return []probe.Call{call}
}
