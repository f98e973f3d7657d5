package probe

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// NoValue is what a claim has where it must not be what a rule wants.
const NoValue = "nobody"

// guardedPerRound bounds the questions about rules, for each of scopes and claims.
const guardedPerRound = 3

// guarded asks for calls with tokens that could make them, but for one thing that a rule wants. Where there are many, they
// take turns.
func (r *round) guarded(from *issuer) []question {
	var scopes, claims []question
	for _, g := range r.target.Policy.Guarded {
		switch {
		case g.WithoutScope != "":
			scopes = append(scopes, r.withoutScope(from, g))
		case g.WithoutClaim != "":
			claims = append(claims, r.withoutClaim(from, g)...)
		}
	}
	return append(inTurn(r, scopes, guardedPerRound), inTurn(r, claims, guardedPerRound)...)
}

func (r *round) withoutScope(from *issuer, g Guarded) question {
	without := slices.DeleteFunc(slices.Clone(g.Scopes), func(scope string) bool { return scope == g.WithoutScope })
	q := r.calling(MissingRuleScope, from, g, lacking(g.Scopes), without, g.Claims)
	q.variation += ", without scope " + g.WithoutScope
	return q
}

// withoutClaim leaves the claim out, or gives it a value that nobody has; in turn, but where everything is wanted. One by
// which callers are known has to be there.
func (r *round) withoutClaim(from *issuer, g Guarded) []question {
	ask := func(value any, about string) question {
		claims := map[string]any{}
		for name, value := range g.Claims {
			claims[name] = value
		}
		claims[g.WithoutClaim] = value
		q := r.calling(MissingRuleClaim, from, g, refused(http.StatusForbidden, "forbidden"), g.Scopes, claims)
		q.variation += about + g.WithoutClaim
		return q
	}
	wrong := ask(NoValue, ", with another claim ")
	if slices.Contains(from.Tokens.IdentityClaims(), g.WithoutClaim) {
		return []question{wrong}
	}
	return inTurn(r, []question{ask(nil, ", without claim "), wrong}, 1)
}

// calling asks for the call by a token of the issuer with these scopes, and these claims in place of the control's.
func (r *round) calling(name Case, from *issuer, g Guarded, want refusal, scopes []string, claims map[string]any) question {
	message := Call{Method: g.Method, Name: g.Name}.message(r.id())
	q := r.target.asks(name, from, want, func(now time.Time) (shot, error) {
		template := from.Tokens.With(claims)
		template.Scope = strings.Join(scopes, " ")
		raw, err := template.Good(now)
		return shot{call: message}.bearing(raw), err
	})
	if q.variation = r.target.Policy.label(g.Method, g.Name); !from.signs() {
		q.lacks = lacksKey
	}
	return q
}
