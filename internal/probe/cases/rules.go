package cases

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/client"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/expect"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/plan"
)

// rulesPerRound bounds the test cases about rules, for each of scopes and claims.
const rulesPerRound = 3

// ruleCases asks for calls with tokens that could make them, but for one thing that a rule wants. Where there are many, they
// take turns.
func ruleCases(p *plan.Planner, from *plan.Issuer) []plan.TestCase {
	var scopes, claims []plan.TestCase
	for _, g := range p.Target.Policy.RuleCases {
		switch {
		case g.WithoutScope != "":
			scopes = append(scopes, withoutScope(p, from, g))
		case g.WithoutClaim != "":
			claims = append(claims, withoutClaim(p, from, g)...)
		}
	}
	return append(plan.InTurn(p, scopes, rulesPerRound), plan.InTurn(p, claims, rulesPerRound)...)
}

func withoutScope(p *plan.Planner, from *plan.Issuer, g probe.RuleCase) plan.TestCase {
	without := slices.DeleteFunc(slices.Clone(g.Scopes), func(scope string) bool { return scope == g.WithoutScope })
	q := calling(p, probe.MissingRuleScope, from, g, expect.LackingScopes(g.Scopes), without, g.Claims)
	q.Variation += ", without scope " + g.WithoutScope
	return q
}

// withoutClaim leaves the claim out, or gives it a value that nobody has; in turn, but where everything is wanted. One by
// which callers are known has to be there.
func withoutClaim(p *plan.Planner, from *plan.Issuer, g probe.RuleCase) []plan.TestCase {
	ask := func(value any, about string) plan.TestCase {
		claims := map[string]any{}
		for name, value := range g.Claims {
			claims[name] = value
		}
		claims[g.WithoutClaim] = value
		q := calling(p, probe.MissingRuleClaim, from, g, expect.Refused(http.StatusForbidden, "forbidden"), g.Scopes, claims)
		q.Variation += about + g.WithoutClaim
		return q
	}
	wrong := ask(probe.NoValue, ", with another claim ")
	if slices.Contains(from.Tokens.IdentityClaims(), g.WithoutClaim) {
		return []plan.TestCase{wrong}
	}
	return plan.InTurn(p, []plan.TestCase{ask(nil, ", without claim "), wrong}, 1)
}

// calling asks for the call by a token of the issuer with these scopes, and these claims in place of the positive control's.
func calling(p *plan.Planner, name probe.Case, from *plan.Issuer, g probe.RuleCase, want expect.Refusal, scopes []string, claims map[string]any) plan.TestCase {
	message := client.MessageOf(probe.Call{Method: g.Method, Name: g.Name}, client.DrawID(p.Draw))
	q := plan.OneRequest(p.Target, name, from, want, func(now time.Time) (client.Request, error) {
		template := from.Tokens.With(claims)
		template.Scope = strings.Join(scopes, " ")
		raw, err := template.Good(now)
		return client.Request{Message: message}.Bearing(raw), err
	})
	if q.Variation = p.Target.Policy.Label(g.Method, g.Name); !from.Signs() {
		q.Lacks = plan.LacksKey
	}
	return q
}

// missingScopes leaves out each scope that every token needs; of all issuers but the first, one of them.
func missingScopes(t probe.Target, from *plan.Issuer, all bool) []plan.TestCase {
	scopes := t.Policy.RequiredScopes
	if !all {
		scopes = scopes[:min(1, len(scopes))]
	}
	var out []plan.TestCase
	for _, missing := range scopes {
		q := plan.OneRequest(t, probe.MissingScope, from, expect.LackingScopes(t.Policy.RequiredScopes), func(now time.Time) (client.Request, error) {
			template := from.Tokens
			template.Scope = strings.Join(slices.DeleteFunc(strings.Fields(template.Scope), func(scope string) bool { return scope == missing }), " ")
			raw, err := template.Good(now)
			return client.Request{}.Bearing(raw), err
		})
		if q.Variation = "without " + missing; !from.Signs() {
			q.Lacks = plan.LacksKey
		}
		out = append(out, q)
	}
	return out
}
