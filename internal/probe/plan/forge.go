package plan

import (
	"slices"

	"github.com/mcp-gatehouse/gatehouse/internal/keys"
	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/token"
)

// Forge signs the token with a key of the same algorithm that nobody knows.
func (p *Planner) Forge(raw string) (string, error) {
	algorithm, err := token.Algorithm(raw)
	if err != nil {
		return "", err
	}
	if !slices.Contains(keys.Algorithms(), algorithm) {
		return "", token.ErrOpaque
	}
	unknown, err := p.UnknownKey(algorithm)
	if err != nil {
		return "", err
	}
	return token.Forged(raw, unknown)
}

// ForgeFor forges in the name of a key, by its algorithm or else by the token's.
func (p *Planner) ForgeFor(raw string, victim keys.Public) (string, error) {
	algorithm := victim.Algorithm
	if algorithm == "" {
		var err error
		if algorithm, err = token.Algorithm(raw); err != nil {
			return "", err
		}
	}
	unknown, err := p.UnknownKey(algorithm)
	if err != nil {
		return "", err
	}
	return token.ForgedFor(raw, victim, unknown)
}

// NotOfIssuer are the reasons for which a token under another name than the probe key's may be refused: the algorithm of
// that key need not be one of the issuer's, and keys of the issuer's without a name are tried whatever the token names.
var NotOfIssuer = []string{probe.ReasonUnknownKey, probe.ReasonAlgorithm, probe.ReasonSignature}
