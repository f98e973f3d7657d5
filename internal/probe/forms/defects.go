package forms

import (
	"fmt"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/keys"
	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/plan"
	"github.com/mcp-gatehouse/gatehouse/internal/token"
)

var defects = []defect{
	{
		name: "forged token", anywhere: true, presents: true, reasons: []string{probe.ReasonSignature},
		make: func(p *plan.Planner, _ *plan.Issuer, good string, _ time.Time, _ *draws) (string, error) {
			return p.Forge(good)
		},
	},
	ofClient("forged token of a client", probe.ReasonSignature, nil),
	{name: noTokenDefect, anywhere: true, reasons: []string{probe.ReasonMissingToken}},
	ofClient("forged and expired token of a client", "expired", func(now time.Time) map[string]any {
		return map[string]any{"iat": now.Add(-token.DefectMargin - clientLifetime).Unix(), "exp": now.Add(-token.DefectMargin).Unix()}
	}),
	{
		name: malformedDefect, anywhere: true, presents: true, reasons: []string{probe.ReasonMalformed},
		make: func(_ *plan.Planner, _ *plan.Issuer, _ string, _ time.Time, draw *draws) (string, error) {
			return noToken68(draw), nil
		},
	},
	ofClient("forged token of a client for another server", "wrong_audience", func(time.Time) map[string]any {
		return map[string]any{"aud": "urn:another-server"}
	}),
	ofClient("forged token of a client of another issuer", "wrong_issuer", func(time.Time) map[string]any {
		return map[string]any{"iss": "https://login.another.example"}
	}),
	spoilt("token with another subject", func(good string, _ *draws) (string, error) { return token.Tampered(good, "sub", "root") }),
	ofClient("forged token of a client that is not valid yet", "not_yet_valid", func(now time.Time) map[string]any {
		return map[string]any{"nbf": now.Add(token.DefectMargin).Unix()}
	}),
	ofClient("forged token of a client without an end", "missing_claim", func(time.Time) map[string]any {
		return map[string]any{"exp": nil}
	}),
	otherwise("unsigned token of a client", probe.ReasonAlgorithm, false, func(_ *plan.Planner, _ *plan.Issuer, raw string, _ *draws) (string, error) {
		return token.Unsigned(raw)
	}),
	spoilt("token with one more scope", func(good string, _ *draws) (string, error) { return token.Tampered(good, "scope", "root") }),
	otherwise("forged token of a client that names an unknown key", probe.ReasonUnknownKey, true, func(p *plan.Planner, _ *plan.Issuer, raw string, draw *draws) (string, error) {
		return p.ForgeFor(raw, keys.Public{ID: fmt.Sprintf("%016x", draw.Uint64())})
	}),
	otherwise("forged token of a client that is no access token", "wrong_type", false, func(p *plan.Planner, from *plan.Issuer, raw string, _ *draws) (string, error) {
		raw, err := token.Retold(raw, nil, map[string]any{"typ": "logout+jwt"})
		if err != nil {
			return "", err
		}
		return forgeClients(p, from, raw)
	}),
	spoilt("token with a bit of its signature changed", func(good string, draw *draws) (string, error) { return token.Flipped(good, draw.Uint64()) }),
	{
		name: "token of a client that had expired when it was signed", presents: true, signed: true, reasons: []string{"expired"},
		make: func(_ *plan.Planner, from *plan.Issuer, _ string, now time.Time, draw *draws) (string, error) {
			claims := newPersona(draw.turn, draw.Rand).claims(from.Tokens.IdentityClaims())
			claims["scope"] = nil
			return from.Tokens.With(claims).Good(now.Add(-token.DefectMargin - from.Tokens.Lifetime))
		},
	},
}

// Defects lists the names of all that can be wrong with a token of the catalogue of forms.
func Defects() []string {
	var names []string
	for _, d := range defects {
		names = append(names, d.name)
	}
	return names
}
