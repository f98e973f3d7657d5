package authz

import (
	"slices"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/authz/message"
)

// nearness remembers, for one request, what its methods are nearly spelled like. To find out is slow, and a batch may
// have a thousand messages.
type nearness struct {
	policy *Policy
	known  map[string]resemblance
}

// resemblance says what a careless server could take a method for.
type resemblance struct {
	naming  bool // a method whose names are judged
	spoken  bool // a method that a rule speaks of
	tooMany bool // it was not compared: there are too many such methods
}

func (n *nearness) of(method string) resemblance {
	if message.Known(method) {
		return resemblance{}
	}
	found, compared := n.known[method]
	switch {
	case compared:
		return found
	case len(n.known) == maxUnknownMethods:
		return resemblance{tooMany: true}
	case n.known == nil:
		n.known = map[string]resemblance{}
	}
	found = resemblance{naming: n.policy.isNearlyNaming(method), spoken: n.policy.isNearlySpoken(method)}
	n.known[method] = found
	return found
}

// isNearlyNaming reports whether a careless server could take the method for one whose names are judged. Methods are
// exact in JSON-RPC, so nobody has a reason to send it, and no rule may let it pass.
func (p *Policy) isNearlyNaming(method string) bool {
	for target := range p.judgesNames {
		if slices.ContainsFunc(message.Naming(target), func(name string) bool { return pattern{text: name}.resembles(method) }) {
			return true
		}
	}
	return false
}

// isNearlySpoken reports whether a careless server could take the method for one that a rule speaks of.
func (p *Policy) isNearlySpoken(method string) bool {
	return slices.ContainsFunc(p.rules, func(r compiledRule) bool {
		return slices.ContainsFunc(r.methods, func(p pattern) bool { return p.resembles(method) })
	})
}
