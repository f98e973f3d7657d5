package verify

import (
	"slices"
	"time"
)

// Principal is who a verified token speaks for. Only a Verifier makes one that is valid: whoever is handed a valid
// Principal knows that a token was checked.
type Principal struct {
	provider string
	issuer   string
	subject  string
	client   string
	keyID    string
	scopes   []string
	claims   object // those that the configuration names
	deadline time.Time
}

// Valid is false for the zero Principal, which nobody verified.
func (p Principal) Valid() bool { return p.provider != "" }

// Provider is the name of the provider whose token it was.
func (p Principal) Provider() string { return p.provider }

// Issuer is the token's "iss".
func (p Principal) Issuer() string { return p.issuer }

// Subject is the token's "sub".
func (p Principal) Subject() string { return p.subject }

// Client is the token's "client_id" (RFC 9068 section 2.2), or empty.
func (p Principal) Client() string { return p.client }

// KeyID is the "kid" of the key that verified the token.
func (p Principal) KeyID() string { return p.keyID }

// HasScope tells whether the token's "scope" claim contains the scope.
func (p Principal) HasScope(scope string) bool { return slices.Contains(p.scopes, scope) }

// Claim gives a claim of the token as it came from JSON, with numbers as json.Number. Only those are known that
// Config.ClaimsUsed names.
func (p Principal) Claim(name string) (value any, present bool) {
	value, present = p.claims[name]
	return value, present
}

// Deadline is when the token stops being accepted: "exp" plus the provider's leeway.
func (p Principal) Deadline() time.Time { return p.deadline }
