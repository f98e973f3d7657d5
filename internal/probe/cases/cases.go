package cases

import (
	"slices"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/expect"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/plan"
	"github.com/mcp-gatehouse/gatehouse/internal/token"
)

// All lists what can be asked of the target, but for the variations.
func All(p *plan.Planner) []plan.TestCase {
	t := p.Target
	all := []plan.TestCase{NoToken(t), empty(t), wrongScheme(t, p.Issuers[0]), Malformed(p), queryToken(t, p.Issuers[0])}
	for _, from := range p.Issuers {
		all = append(all, tokenCases(p, from)...)
	}
	all = append(all, replayed(p)...)
	for i, from := range p.Issuers {
		all = append(all, missingScopes(t, from, i == 0)...)
	}
	all = append(all, ruleCases(p, p.Issuers[0])...)
	all = append(all, forbiddenCalls(t, p.Issuers[0])...)
	for _, from := range p.Issuers {
		all = append(all, reservedCalls(p, from)...)
	}
	all = append(all, foreignSessions(t, p.Issuers)...)
	all = append(all, oneConnection(p.Issuers[0]))
	all = append(all, requestCases(p)...)
	return slices.DeleteFunc(all, func(q plan.TestCase) bool { return !t.Exact && ofGate(q) })
}

// ofGate tells what no standard asks of every MCP server. Whose tokens have no issuer or no audience, expects nobody to
// look at them.
func ofGate(q plan.TestCase) bool {
	switch q.Case {
	case probe.WrongIssuer:
		return q.Issuer.Tokens.Issuer == ""
	case probe.WrongAudience:
		return q.Issuer.Tokens.Audience == "" && len(q.Issuer.Required) == 0
	case probe.WrongType:
		return q.Variation != "" || q.Case.Info().Exact // No standard has a payload that tells kinds apart.
	default:
		return q.Case.Info().Exact
	}
}

// tokenCases are all ways to spoil a token of one issuer.
func tokenCases(p *plan.Planner, from *plan.Issuer) []plan.TestCase {
	all := []plan.TestCase{flippedSignature(p, from)}
	for _, bad := range []struct {
		name   probe.Case
		defect token.Defect
		reason string
	}{
		{probe.Expired, token.Expired, "expired"},
		{probe.NotYetValid, token.NotYetValid, "not_yet_valid"},
		{probe.UnknownKid, token.UnknownKid, probe.ReasonUnknownKey},
		{probe.WrongIssuer, token.WrongIssuer, "wrong_issuer"},
		{probe.WrongAudience, token.WrongAudience, "wrong_audience"},
		{probe.WrongType, token.WrongType, "wrong_type"},
		{probe.MissingExpiry, token.MissingExpiry, "missing_claim"},
	} {
		if bad.name == probe.UnknownKid && from.Tokens.Key.Public().Anonymous {
			continue // A key without a name is tried whatever the token names.
		}
		want := expect.Unauthorized(bad.reason)
		if bad.name == probe.UnknownKid && from.ProbeKey {
			want.Reasons = plan.NotOfIssuer
		}
		all = append(all, p.Minted(bad.name, from, want, func(now time.Time) (string, error) {
			return from.Tokens.Bad(bad.defect, now)
		}))
	}
	all = append(all, foreign(p, from)...)
	all = append(all, otherKind(p, from))
	all = append(all, WrongKey(p, from))
	all = append(all, forgeries(p, from)...)
	all = append(all, borrowed(p, from)...)
	all = append(all, retired(p, from)...)
	all = append(all, p.Spoilt(probe.AlgNone, from, expect.Unauthorized(probe.ReasonAlgorithm), token.Unsigned))
	all = append(all, confused(p, from)...)
	all = append(all, otherAlgorithm(p, from)...)
	all = append(all, anonymous(p, from)...)
	all = append(all, limited(p, from)...)
	all = append(all, misused(p, from)...)
	order := probe.Cases()
	slices.SortStableFunc(all, func(a, b plan.TestCase) int { return slices.Index(order, a.Case) - slices.Index(order, b.Case) })
	return all
}
