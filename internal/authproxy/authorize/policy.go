// Package authorize judges what the bearer of a good token may do, by authproxy.Authorization.
//
// It must not know HTTP beyond two headers, nor tokens: who calls is a Caller, what is asked are Messages that
// everybody reads the same way.
package authorize

import (
	"slices"
	"strings"

	"github.com/mcp-gatehouse/gatehouse/internal/authproxy"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/deny"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/message"
)

// Caller is who asks, by a token that was verified.
type Caller interface {
	// HasScope tells whether the token was issued with the scope.
	HasScope(scope string) bool
	// Claim gives a claim that the configuration names, as encoding/json reads it into an any.
	Claim(name string) (value any, present bool)
}

// Policy is an authproxy.Authorization, ready to judge. It is never changed.
type Policy struct {
	required    []string
	rules       []rule
	allow       bool // what no rule speaks of
	judgesNames map[message.Target]bool
	judgesBody  bool
}

// New makes a Policy of rules that authproxy.ParseConfig has accepted.
func New(a authproxy.Authorization) *Policy {
	p := &Policy{
		required: slices.Clone(a.RequiredScopes), allow: a.DefaultAction != authproxy.ActionDeny,
		judgesNames: map[message.Target]bool{}, judgesBody: a.JudgesBodies(),
	}
	for _, r := range a.Rules {
		compiled := compile(r)
		for target := range compiled.names {
			p.judgesNames[target] = true
		}
		p.rules = append(p.rules, compiled)
	}
	return p
}

// JudgesBodies tells whether Judge needs the messages of a body.
func (p *Policy) JudgesBodies() bool { return p.judgesBody }

// Judge wants every message to be allowed, and RequiredScopes in any case: messages are nil where there is no body, or
// none that rules see into. It gives nil, or: deny.Rights if there is something that no scope would open for this
// caller; else deny.Scope with all that the whole request needs; or deny.Message for a method that is spelled nearly
// like one that is judged.
func (p *Policy) Judge(caller Caller, messages []message.Message) *deny.Denial {
	enough := hasAll(caller, p.required)
	for subject := range subjects(messages) {
		switch verdict, _ := p.judge(caller, subject); verdict {
		case allowed:
		case forbidden:
			return deny.Rights()
		case lacking:
			enough = false
		case misspelled:
			return deny.Message("the method is spelled nearly like one that is judged: spell it exactly so")
		}
	}
	if enough {
		return nil
	}
	return deny.Scope(p.needed(caller, messages))
}

// needed are all scopes that this caller needs for the whole request, each once: with fewer, a client that got the
// missing ones would be refused again (MCP authorization, "Runtime Insufficient Scope Errors").
func (p *Policy) needed(caller Caller, messages []message.Message) []string {
	all := slices.Clone(p.required)
	for subject := range subjects(messages) {
		if _, rule := p.judge(caller, subject); rule != nil {
			all = append(all, rule.scopes...)
		}
	}
	seen := map[string]bool{}
	return slices.DeleteFunc(all, func(scope string) bool {
		again := seen[scope]
		seen[scope] = true
		return again
	})
}

type verdict int

const (
	allowed    verdict = iota
	lacking            // scopes, nothing else
	forbidden          // whatever scopes the token had
	misspelled         // so that this server might take it for what is judged
)

// judge gives the rule that decides: the one that is met, or for want of scopes the one that wants fewest more. There
// is none where the default decides.
func (p *Policy) judge(caller Caller, s subject) (verdict, *rule) {
	if p.isNearlyNaming(s.method) {
		return misspelled, nil
	}
	var cheapest *rule
	spoken, fewest := false, 0
	for i := range p.rules {
		rule := &p.rules[i]
		if !rule.speaksOf(s) {
			continue
		}
		spoken = true
		if !rule.claimsMatch(caller) {
			continue
		}
		missing := countMissing(caller, rule.scopes)
		if missing == 0 {
			return allowed, rule
		}
		if cheapest == nil || missing < fewest {
			cheapest, fewest = rule, missing
		}
	}
	switch {
	case cheapest != nil:
		return lacking, cheapest
	case spoken:
		return forbidden, nil
	default:
		return p.unspoken(s), nil
	}
}

// unspoken judges what no rule speaks of.
func (p *Policy) unspoken(s subject) verdict {
	switch {
	case isLifecycle(s.method):
		return allowed
	case p.judgesNames[s.target] || !p.allow:
		return forbidden
	case p.isNearlySpoken(s.method):
		return misspelled
	default:
		return allowed
	}
}

// isNearlyNaming tells a method that a careless server could take for one whose names are judged. Methods are exact in
// JSON-RPC, so nobody has a reason to send it, and no rule may let it pass.
func (p *Policy) isNearlyNaming(method string) bool {
	if message.Known(method) {
		return false
	}
	for target := range p.judgesNames {
		if slices.ContainsFunc(message.Naming(target), func(name string) bool { return pattern{text: name}.resembles(method) }) {
			return true
		}
	}
	return false
}

// isNearlySpoken tells a method that a careless server could take for one that a rule speaks of.
func (p *Policy) isNearlySpoken(method string) bool {
	return !message.Known(method) && slices.ContainsFunc(p.rules, func(r rule) bool {
		return slices.ContainsFunc(r.methods, func(p pattern) bool { return p.resembles(method) })
	})
}

// isLifecycle tells the methods by which client and server find together. None of them does anything.
func isLifecycle(method string) bool {
	switch method {
	case "initialize", "server/discover", "ping":
		return true
	default:
		return strings.HasPrefix(method, "notifications/")
	}
}

func hasAll(caller Caller, scopes []string) bool { return countMissing(caller, scopes) == 0 }

func countMissing(caller Caller, scopes []string) int {
	missing := 0
	for _, scope := range scopes {
		if !caller.HasScope(scope) {
			missing++
		}
	}
	return missing
}
