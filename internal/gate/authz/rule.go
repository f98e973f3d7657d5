package authz

import (
	"iter"
	"slices"

	"github.com/mcp-gatehouse/gatehouse/internal/claimpath"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/authz/message"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

// subject is one thing that is asked: a method, and what it works on.
type subject struct {
	method string
	target message.Target
	name   string
	climbs *bool // what climbs says of the name, once asked: it may be long, and patterns are many
}

// isClimbing reports whether the name leads out of what it begins with.
func (s *subject) isClimbing() bool {
	if s.climbs == nil {
		climbing := climbs(s.name)
		s.climbs = &climbing
	}
	return *s.climbs
}

// subjects are all that messages ask. A response asks nothing: it answers what the server asked.
func subjects(messages []message.Message) iter.Seq[subject] {
	return func(yield func(subject) bool) {
		for _, m := range messages {
			switch {
			case m.Kind == message.Response:
			case len(m.URIs) > 0:
				for _, uri := range m.URIs {
					if !yield(subject{method: m.Method, target: m.Target, name: uri}) {
						return
					}
				}
			case !yield(subjectOf(m)):
				return
			}
		}
	}
}

// subjectOf: whoever listens to no resource in particular names none.
func subjectOf(m message.Message) subject {
	if m.Method == message.Listen {
		return subject{method: m.Method}
	}
	return subject{method: m.Method, target: m.Target, name: m.Name}
}

// compiledRule is an gateapi.Rule, ready to judge.
type compiledRule struct {
	methods []pattern
	names   map[message.Target][]pattern
	// narrowed are the targets of which Methods name some methods: then only these.
	narrowed map[message.Target]bool
	scopes   []string
	claims   []gateapi.ClaimMatch
}

func compile(r gateapi.Rule) compiledRule {
	out := compiledRule{
		methods: patterns(r.Methods, false), names: map[message.Target][]pattern{}, narrowed: map[message.Target]bool{},
		scopes: slices.Clone(r.Scopes), claims: slices.Clone(r.Claims),
	}
	for target, names := range map[message.Target][]string{
		message.Tool: r.Tools, message.Prompt: r.Prompts, message.Resource: r.Resources,
	} {
		if len(names) == 0 {
			continue
		}
		out.names[target] = patterns(names, target == message.Resource)
		out.narrowed[target] = slices.ContainsFunc(message.Naming(target), out.hasMethod)
	}
	return out
}

func (r *compiledRule) hasMethod(method string) bool {
	return slices.ContainsFunc(r.methods, func(p pattern) bool {
		// Who writes a "*" does not think of these; who writes one out does.
		return p.begins(method) && (!p.open || !isLifecycle(method))
	})
}

// speaksOf says what an gateapi.Rule promises.
func (r *compiledRule) speaksOf(s *subject) bool {
	names, judged := r.names[s.target]
	if !judged {
		return r.hasMethod(s.method)
	}
	if r.narrowed[s.target] && !r.hasMethod(s.method) {
		return false
	}
	return slices.ContainsFunc(names, func(p pattern) bool { return p.begins(s.name) && (!p.confines() || !s.isClimbing()) })
}

// claimsMatch tells whether each claim has one of the values that the rule wants.
func (r *compiledRule) claimsMatch(caller Caller) bool {
	return !slices.ContainsFunc(r.claims, func(want gateapi.ClaimMatch) bool {
		value, _ := caller.Claim(want.Name)
		return !claimpath.Holds(value, want.Values)
	})
}
