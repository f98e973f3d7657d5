// Package authz judges what the bearer of a good token may do, by gateapi.Authorization.
//
// It must not know HTTP beyond two headers, nor tokens: who calls is a Caller, what is asked are Messages that
// everybody reads the same way.
package authz

import (
	"slices"
	"strings"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/authz/message"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/deny"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/telemetry/redact"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

// Caller is who asks, by a token that was verified.
type Caller interface {
	// HasScope tells whether the token was issued with the scope.
	HasScope(scope string) bool
	// Claim gives a claim that the configuration names, as encoding/json reads it into an any.
	Claim(name string) (value any, present bool)
}

// Policy is an gateapi.Authorization, ready to judge. It is never changed.
type Policy struct {
	required    []string
	rules       []compiledRule
	allow       bool // what no rule speaks of
	judgesNames map[message.Target]bool
	judgesBody  bool
}

// New makes a Policy of rules that gateapi.ParseConfig has accepted.
func New(a gateapi.Authorization) *Policy {
	p := &Policy{
		required: slices.Clone(a.RequiredScopes), allow: a.DefaultAction != gateapi.ActionDeny,
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

// maxUnknownMethods bounds how many methods that MCP does not have one request may use: each is compared with every
// method that rules name, letter by letter.
const maxUnknownMethods = 16

// Judge wants every message to be allowed, and RequiredScopes in any case: messages are nil where there is no body, or
// none that rules see into. It returns nil, or: deny.Forbidden if there is something that no scope would open for this
// caller; else deny.InsufficientScope with all that the whole request needs; or deny.BadMessage for a method that is spelled nearly
// like one that is judged, or for more than maxUnknownMethods.
func (p *Policy) Judge(caller Caller, messages []message.Message) *deny.Denial {
	enough := hasAll(caller, p.required)
	near := nearness{policy: p}
	for asked := range subjects(messages) {
		switch verdict, _ := p.judge(caller, &asked, &near); verdict {
		case allowed:
		case forbidden:
			return deny.Forbidden().WithDetail("%s", p.forbids(&asked))
		case lacking:
			enough = false
		case misspelled:
			return deny.BadMessage("the method is spelled nearly like one that is judged: spell it exactly so").
				WithDetail("method %q is spelled nearly like one that is judged", redact.Name(asked.method))
		case unknown:
			return deny.BadMessage("the messages have more than 16 methods that MCP does not have")
		}
	}
	if enough {
		return nil
	}
	return deny.InsufficientScope(p.needed(caller, messages, &near))
}

// forbids says what kind of rule keeps a caller from what it asks for, whatever scopes its token had. Values of claims, and
// which of them are wanted, are left to who can read the rules.
func (p *Policy) forbids(s *subject) string {
	kind := s.target.String()
	switch {
	case slices.ContainsFunc(p.rules, func(r compiledRule) bool { return r.speaksOf(s) }):
		return "rules name this " + kind + ", and the claims of the caller meet none of them"
	case p.judgesNames[s.target]:
		return "rules name some of this kind, and not this " + kind
	default:
		return "no rule allows this " + kind + ", and defaultAction is Deny"
	}
}

// needed are all scopes that this caller needs for the whole request, each once: with fewer, a client that got the
// missing ones would be refused again (MCP authorization, "Runtime Insufficient Scope Errors").
func (p *Policy) needed(caller Caller, messages []message.Message, near *nearness) []string {
	all := slices.Clone(p.required)
	for asked := range subjects(messages) {
		if _, rule := p.judge(caller, &asked, near); rule != nil {
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

type decision int

const (
	allowed    decision = iota
	lacking             // scopes, nothing else
	forbidden           // whatever scopes the token had
	misspelled          // so that this server might take it for what is judged
	unknown             // and there are too many such methods
)

// judge gives the rule that decides: the one that is met, or for want of scopes the one that wants fewest more. There
// is none where the default decides.
func (p *Policy) judge(caller Caller, s *subject, near *nearness) (decision, *compiledRule) {
	likeness := near.of(s.method)
	switch {
	case likeness.tooMany:
		return unknown, nil
	case likeness.naming:
		return misspelled, nil
	}
	var cheapest *compiledRule
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
		return p.unspoken(s, likeness.spoken), nil
	}
}

// unspoken judges what no rule speaks of; near reports whether one nearly does.
func (p *Policy) unspoken(s *subject, near bool) decision {
	switch {
	case isLifecycle(s.method):
		return allowed
	case p.judgesNames[s.target] || !p.allow:
		return forbidden
	case near:
		return misspelled
	default:
		return allowed
	}
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
