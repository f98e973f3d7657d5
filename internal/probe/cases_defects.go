package probe

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/keys"
	"github.com/mcp-gatehouse/gatehouse/internal/token"
)

// defect is what is wrong with the token of a request of the catalogue of forms. A token that opens anything has a reserved
// subject. Those that look like a client's are worthless: all but one are forged, which a gate notices last, so that it
// names what else is wrong with them, and one that does not look says so. The one that is signed had expired when it was.
type defect struct {
	name string
	// anywhere: it is asked of servers, too, that are not our gate. presents: there is a token.
	anywhere, presents bool
	// reasons are those of the refusal; notOfIssuer where the probe key stands in for the issuer's.
	reasons []string
	// loose: under the probe key, and where nothing is known of the issuer's keys, the reasons are notOfIssuer.
	loose bool
	// signed: the issuer's own key makes it.
	signed bool
	make   func(r *round, from *issuer, good string, now time.Time, draw *draws) (string, error)
}

const (
	noTokenDefect   = "no token"
	malformedDefect = "malformed token"
)

// draws are those of one row: what is drawn, and the turn of what is not.
type draws struct {
	*rand.Rand
	turn uint64
}

// clientLifetime is what clients' tokens usually live.
const clientLifetime = time.Hour

var defects = []defect{
	{
		name: "forged token", anywhere: true, presents: true, reasons: []string{reasonSignature},
		make: func(r *round, _ *issuer, good string, _ time.Time, _ *draws) (string, error) {
			return r.forge(good)
		},
	},
	ofClient("forged token of a client", reasonSignature, nil),
	{name: noTokenDefect, anywhere: true, reasons: []string{reasonMissingToken}},
	ofClient("forged and expired token of a client", "expired", func(now time.Time) map[string]any {
		return map[string]any{"iat": now.Add(-token.DefectMargin - clientLifetime).Unix(), "exp": now.Add(-token.DefectMargin).Unix()}
	}),
	{
		name: malformedDefect, anywhere: true, presents: true, reasons: []string{reasonMalformed},
		make: func(_ *round, _ *issuer, _ string, _ time.Time, draw *draws) (string, error) {
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
	otherwise("unsigned token of a client", reasonAlgorithm, false, func(_ *round, _ *issuer, raw string, _ *draws) (string, error) {
		return token.Unsigned(raw)
	}),
	spoilt("token with one more scope", func(good string, _ *draws) (string, error) { return token.Tampered(good, "scope", "root") }),
	otherwise("forged token of a client that names an unknown key", reasonUnknownKey, true, func(r *round, from *issuer, raw string, draw *draws) (string, error) {
		return r.forgeFor(from, raw, keys.Public{ID: fmt.Sprintf("%016x", draw.Uint64())})
	}),
	otherwise("forged token of a client that is no access token", "wrong_type", false, func(r *round, from *issuer, raw string, _ *draws) (string, error) {
		raw, err := token.Retold(raw, nil, map[string]any{"typ": "logout+jwt"})
		if err != nil {
			return "", err
		}
		return r.forgeClients(from, raw)
	}),
	spoilt("token with a bit of its signature changed", func(good string, draw *draws) (string, error) { return token.Flipped(good, draw.Uint64()) }),
	{
		name: "token of a client that had expired when it was signed", presents: true, signed: true, reasons: []string{"expired"},
		make: func(_ *round, from *issuer, _ string, now time.Time, draw *draws) (string, error) {
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

// ofClient is a forgery that looks like a client's token, with these claims changed.
func ofClient(name, reason string, changed func(now time.Time) map[string]any) defect {
	return defect{
		name: name, presents: true, anywhere: reason == reasonSignature, reasons: []string{reason},
		make: func(r *round, from *issuer, good string, now time.Time, draw *draws) (string, error) {
			raw, err := r.asClients(from, good, now, draw)
			if err == nil && changed != nil {
				raw, err = token.Retold(raw, changed(now), nil)
			}
			if err != nil {
				return "", err
			}
			return r.forgeClients(from, raw)
		},
	}
}

// otherwise is a client's token that is spoilt in another way than by a claim.
func otherwise(name, reason string, loose bool, spoil func(r *round, from *issuer, raw string, draw *draws) (string, error)) defect {
	return defect{
		name: name, presents: true, reasons: []string{reason}, loose: loose,
		make: func(r *round, from *issuer, good string, now time.Time, draw *draws) (string, error) {
			raw, err := r.asClients(from, good, now, draw)
			if err != nil {
				return "", err
			}
			return spoil(r, from, raw, draw)
		},
	}
}

// spoilt is the control's token with something changed under its signature.
func spoilt(name string, spoil func(good string, draw *draws) (string, error)) defect {
	return defect{
		name: name, presents: true, reasons: []string{reasonSignature},
		make: func(_ *round, _ *issuer, good string, _ time.Time, draw *draws) (string, error) {
			return spoil(good, draw)
		},
	}
}

// asClients gives the control's token the claims of a client's. Its signature is worthless then.
func (r *round) asClients(from *issuer, good string, now time.Time, draw *draws) (string, error) {
	identity := []string{"sub"}
	lifetime := clientLifetime
	if from.signs() {
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
func (r *round) forgeClients(from *issuer, raw string) (string, error) {
	named := func(key keys.Public) bool { return key.Algorithm != "" && !key.Algorithm.Symmetric() && !key.Anonymous }
	if i := slices.IndexFunc(from.Public, named); from.ProbeKey && i >= 0 {
		return r.forgeFor(from, raw, from.Public[i])
	}
	return r.forge(raw)
}

// forgeFor forges in the name of a key, by its algorithm or else by the token's.
func (r *round) forgeFor(_ *issuer, raw string, victim keys.Public) (string, error) {
	algorithm := victim.Algorithm
	if algorithm == "" {
		var err error
		if algorithm, err = token.Algorithm(raw); err != nil {
			return "", err
		}
	}
	stranger, err := r.prober.stranger(algorithm)
	if err != nil {
		return "", err
	}
	return token.ForgedFor(raw, victim, stranger)
}

// noToken68 is a bearer that is no JWT: as people try one, as other services give them, and the beginning of one.
func noToken68(draw *draws) string {
	return []string{
		token.Malformed, AbsentName(draw.Uint64()), fmt.Sprintf("sk_live_%016x%016x", draw.Uint64(), draw.Uint64()),
		fmt.Sprintf("ghp_%016x%016x", draw.Uint64(), draw.Uint64()), "eyJhbGciOiJSUzI1NiIsInR5cCI6ImF0K2p3dCJ9.e30",
	}[draw.IntN(5)]
}

// fits reports whether the defect can be had of the issuer.
func (d defect) fits(from *issuer) bool {
	switch {
	case d.signed:
		return from.signs() && !from.ProbeKey && !from.Tokens.Key.Algorithm().Symmetric()
	case d.loose: // a key without a name is tried whatever the token names
		return !from.signs() || !from.Tokens.Key.Public().Anonymous
	}
	return true
}

// want is the refusal that the token deserves.
func (d defect) want(from *issuer) refusal {
	if d.loose && (from.ProbeKey || !from.signs()) {
		return unauthorized(notOfIssuer...)
	}
	return refusal{
		status: http.StatusUnauthorized, reasons: d.reasons, challenge: map[bool]challenge{true: invalidToken, false: bare}[d.presents],
	}
}
