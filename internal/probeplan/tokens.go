package probeplan

import (
	"slices"

	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/token"
)

// required are the claims without which the provider's tokens are not let in.
func required(p desired.Provider) map[string]any {
	claims := map[string]any{}
	for _, claim := range p.RequiredClaims {
		claims[claim.Name] = claim.Values[0]
	}
	return claims
}

// otherCaller gives the claims by which a token is another caller's.
func otherCaller(identity []string) map[string]any {
	if len(identity) == 0 {
		identity = []string{"sub"}
	}
	claims := map[string]any{}
	for _, claim := range identity {
		claims[claim] = gateapi.OtherProbeSubject
	}
	return claims
}

// typeOf chooses the type of a token among those that a provider's may have.
func typeOf(types []string) string {
	switch {
	case len(types) == 0 || slices.Contains(types, token.TypeAccessToken):
		return token.TypeAccessToken
	case types[0] == "":
		return token.NoType
	default:
		return types[0]
	}
}
