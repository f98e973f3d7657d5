package cases

import (
	"fmt"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/expect"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/plan"
)

// probeKeyLife is the longest that a token of the probe key may live.
const probeKeyLife = time.Minute

// misused are tokens of the probe key that it may not sign: each is the positive control but for one thing that makes it more
// than a probe of this pod.
func misused(p *plan.Planner, from *plan.Issuer) []plan.TestCase {
	if !from.ProbeKey {
		return nil
	}
	somebody, pod := map[string]any{"sub": "somebody"}, fmt.Sprintf("%x", p.DrawFor(probe.ProbeKeyMisused, from.Name).Uint64())
	for _, claim := range from.Tokens.IdentityClaims() {
		somebody[claim] = "somebody"
	}
	type misuse struct {
		variation string
		lifetime  time.Duration
		claims    map[string]any
	}
	all := []misuse{
		{"for another subject", 0, somebody},
		{"bound to another pod", 0, map[string]any{probe.PodClaim: pod}},
		{"bound to no pod", 0, map[string]any{probe.PodClaim: nil}},
	}
	for _, claim := range from.Tokens.IdentityClaims() {
		if claim != "sub" {
			all = append(all, misuse{"for another " + claim, 0, map[string]any{claim: "somebody"}})
		}
	}
	// Else the provider's own bound refuses it first.
	if long := 2 * probeKeyLife; from.MaxTokenLifetime == 0 || from.MaxTokenLifetime > long {
		all = append(all, misuse{"for two minutes", long, nil})
	}
	if from.MaxTokenLifetime == 0 {
		all = append(all, misuse{"without iat", 0, map[string]any{"iat": nil}})
	}
	var out []plan.TestCase
	for _, bad := range all {
		q := p.Minted(probe.ProbeKeyMisused, from, expect.Unauthorized(probe.ReasonProbe), func(now time.Time) (string, error) {
			template := from.Tokens.With(bad.claims)
			if bad.lifetime > 0 {
				template.Lifetime = bad.lifetime
			}
			return template.Good(now)
		})
		q.Variation = bad.variation
		out = append(out, q)
	}
	return out
}
