package verify

import (
	"crypto/ed25519"
	"slices"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/deny"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

// probeKeyOf gives the probe key if it is one more key of the provider; else nil.
func probeKeyOf(config gateapi.Config, p gateapi.Provider) *keys.Public {
	if config.ProbeKey == nil || !slices.Contains(config.ProbeKey.Providers, p.Name) {
		return nil
	}
	key, err := config.ProbeKey.Public()
	if err != nil { // ParseConfig has refused it.
		return nil
	}
	return &key
}

// isProbeKey knows the probe key by itself, not by its name: whoever publishes it under another gets no more out of it.
func (p *provider) isProbeKey(key keys.Public) bool {
	if p.probe == nil {
		return false
	}
	probe, isEdwards := p.probe.Key.(ed25519.PublicKey)
	return isEdwards && probe.Equal(key.Key)
}

// judgeProbe applies what gateapi.ProbeKey asks of the key's tokens, beyond what the provider asks of all. It comes
// behind the signature: only what the key has signed is a probe.
func (f *freshToken) judgeProbe() *deny.Denial {
	c := f.claims
	isOwn := func(claim string) bool { return c.textAt(claim) == c.subject }
	switch {
	case !gateapi.IsProbeSubject(c.subject) || slices.ContainsFunc(f.from.identity, func(claim string) bool { return !isOwn(claim) }):
	case c.issuedAt.IsZero() || c.expires.Sub(c.issuedAt) > gateapi.ProbeTokenLifetime:
	case f.verifier.podUID == "" || c.text(gateapi.ProbePodClaim) != f.verifier.podUID:
	default:
		return nil
	}
	return deny.Token(gateapi.ReasonWrongProbe)
}

// isReserved tells whether a token goes by a reserved subject, in "sub" or in a claim that says who the caller is.
func (f *freshToken) isReserved() bool {
	return gateapi.IsProbeSubject(f.claims.subject) || slices.ContainsFunc(f.from.identity, func(claim string) bool {
		return gateapi.IsProbeSubject(f.claims.textAt(claim))
	})
}
