package verify

import (
	"maps"
	"slices"
	"time"
)

// Principal is who a verified token speaks for. Only a Verifier makes one that is valid: whoever is handed a valid
// Principal knows that a token was checked. It never changes.
type Principal struct {
	provider string
	issuer   string
	subject  string
	client   string
	keyID    string
	scopes   []string
	claims   object
	deadline time.Time
	probeKey bool
	reserved bool
}

// Valid is false for the zero Principal, which nobody verified.
func (p Principal) Valid() bool { return p.provider != "" }

// Provider is the name of the provider whose token it was.
func (p Principal) Provider() string { return p.provider }

// Issuer is the token's "iss"; empty if the provider's tokens have none.
func (p Principal) Issuer() string { return p.issuer }

// Subject is the caller's name, unique within the provider: the token's "sub", or where Provider.IdentityClaims asks
// for other claims, the JSON array of their values.
func (p Principal) Subject() string { return p.subject }

// Client is the token's "client_id" (RFC 9068 section 2.2), or else its "azp", or empty.
func (p Principal) Client() string { return p.client }

// KeyID is the id of the key that verified the token.
func (p Principal) KeyID() string { return p.keyID }

// ByProbeKey tells that the probe key signed the token: it is no credential of anybody's, and nothing of it is for the
// server to see.
func (p Principal) ByProbeKey() bool { return p.probeKey }

// Reserved tells that the caller goes by a subject that is reserved for probes (gateapi.ProbeSubject), whoever signed.
func (p Principal) Reserved() bool { return p.reserved }

// HasScope tells whether the token was issued with the scope.
func (p Principal) HasScope(scope string) bool { return slices.Contains(p.scopes, scope) }

// MissingScopes gives those that the token was not issued with, in their order; none if it has them all.
func (p Principal) MissingScopes(needed []string) []string {
	var missing []string
	for _, scope := range needed {
		if !p.HasScope(scope) {
			missing = append(missing, scope)
		}
	}
	return missing
}

// Claim gives a claim of the token as it came from JSON, with numbers as json.Number. Only those are known that the
// configuration names, in authorization rules and in ClaimHeaders.
func (p Principal) Claim(name string) (value any, present bool) {
	value, present = p.claims[name]
	return clone(value), present
}

// clone keeps whoever is handed a claim from changing it for everybody.
func clone(value any) any {
	switch value := value.(type) {
	case []any:
		copied := slices.Clone(value)
		for i := range copied {
			copied[i] = clone(copied[i])
		}
		return copied
	case object:
		copied := maps.Clone(value)
		for name := range copied {
			copied[name] = clone(copied[name])
		}
		return copied
	default:
		return value
	}
}

// Deadline is when the token stops being accepted: "exp" plus the provider's leeway.
func (p Principal) Deadline() time.Time { return p.deadline }
