package forms

import (
	"fmt"
	"slices"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/keys"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/plan"
	"github.com/mcp-gatehouse/gatehouse/internal/token"
)

// asClients gives the positive control's token the claims of a client's. Its signature is worthless then.
func asClients(from *plan.Issuer, good string, now time.Time, draw *draws) (string, error) {
	identity := []string{"sub"}
	lifetime := clientLifetime
	if from.Signs() {
		identity = from.Tokens.IdentityClaims()
	}
	if from.MaxTokenLifetime > 0 {
		lifetime = min(lifetime, from.MaxTokenLifetime)
	}
	claims := newPersona(draw.turn, draw.Rand).claims(identity)
	claims["exp"] = now.Add(lifetime).Unix()
	if !from.Tokens.Bare {
		claims["iat"], claims["jti"] = now.Unix(), fmt.Sprintf("%016x%016x", draw.Uint64(), draw.Uint64())
	}
	return token.Retold(good, claims, nil)
}

// forgeClients signs with a key that nobody knows, in the name of a key that signs clients' tokens.
func forgeClients(p *plan.Planner, from *plan.Issuer, raw string) (string, error) {
	isNamed := func(key keys.Public) bool { return key.Algorithm != "" && !key.Algorithm.Symmetric() && !key.Anonymous }
	if i := slices.IndexFunc(from.Public, isNamed); from.ProbeKey && i >= 0 {
		return p.ForgeFor(raw, from.Public[i])
	}
	return p.Forge(raw)
}
