package verify

import (
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/deny"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

// Candidate is a token that Screen had nothing against. Only its signature can tell whose it is.
type Candidate struct {
	known           *entry // verified before
	fresh           *freshToken
	provider, keyID string
}

// Verified tells whether the token is known already, so that Verify costs nothing.
func (c Candidate) Verified() bool { return c.known != nil }

// Provider is the provider whose token it claims to be; empty if Screen did not come so far. It is not verified.
func (c Candidate) Provider() string { return c.provider }

// KeyID is the "kid" that the token names; empty if it names none. It is not verified.
func (c Candidate) KeyID() string { return c.keyID }

// Verify checks the signature, and that nothing of the token is revoked.
func (c Candidate) Verify() (Principal, *deny.Denial) {
	switch {
	case c.known != nil:
		return c.known.principal, nil
	case c.fresh != nil:
		return c.fresh.verify()
	default:
		return Principal{}, deny.Internal()
	}
}

// freshToken is a token on its way through its first verification.
type freshToken struct {
	verifier *Verifier
	digest   tokenDigest
	token    compact
	claims   tokenClaims
	from     *provider
	subject  string
	keys     []keys.Public // one of them must have signed
}

// screen applies the provider's rules.
func (f *freshToken) screen(h tokenHeader, now time.Time) *deny.Denial {
	if !f.from.types.accept(h) {
		return deny.Token(gateapi.ReasonWrongType).WithDetail("typ: %s, accepted are %s", h.kindText(), f.from.types)
	}
	if detail := f.from.otherKind(f.claims, h); detail != "" {
		return deny.Token(gateapi.ReasonWrongType).WithDetail("%s", detail)
	}
	// A token that is bound to a key must not pass as a bearer token (RFC 9449 section 7.2, RFC 8705 section 3).
	if f.claims.bindsKey() {
		return deny.Token(gateapi.ReasonWrongType).WithDetail("cnf: the token is bound to a key")
	}
	// An unknown key is told of last: where it is all that is wrong, the key may be a new one and worth asking for.
	var denial, unknown *deny.Denial
	if f.keys, unknown = f.from.fitting(h); unknown != nil && unknown.Reason != gateapi.ReasonUnknownKey {
		return unknown
	}
	if f.subject, denial = f.claims.identify(f.from.identity); denial != nil {
		return denial
	}
	if denial = f.from.judge(f.claims, now); denial != nil {
		return denial
	}
	return unknown
}

func (f *freshToken) verify() (Principal, *deny.Denial) {
	signer, signed := f.signer()
	if !signed {
		return Principal{}, deny.Token(gateapi.ReasonBadSignature).WithDetail("signature: of none of %d keys", len(f.keys))
	}
	principal := f.principal(signer)
	if principal.probeKey {
		if denial := f.judgeProbe(); denial != nil {
			return Principal{}, denial
		}
	}
	if by := f.verifier.revoked.Cover(f.names(), signer.ID, f.claims.id, f.claims.issuedAt); by != "" {
		return Principal{}, deny.Token(gateapi.ReasonRevoked).WithDetail("revoked by an entry of kind %s", by)
	}
	f.verifier.cache.put(&entry{key: f.digest, principal: principal, life: f.from.life(f.claims)}, f.verifier.now())
	return principal, nil
}

// signer finds the key that signed. Each is tried with its own algorithm, never with one that the token chose.
func (f *freshToken) signer() (keys.Public, bool) {
	signature, err := encoding.DecodeString(f.token.signature)
	if err != nil {
		return keys.Public{}, false
	}
	for _, key := range f.keys {
		if key.Verify(f.token.signed, signature) {
			return key, true
		}
	}
	return keys.Public{}, false
}

func (f *freshToken) principal(signer keys.Public) Principal {
	kept := object{}
	for name, path := range f.verifier.claimPaths {
		if value, present := path.In(f.claims.members); present {
			kept[name] = value
		}
	}
	return Principal{
		provider: f.from.Name, issuer: f.from.Issuer, subject: f.subject, client: f.claims.client(), keyID: signer.ID,
		scopes: f.claims.scopes(), claims: kept, deadline: f.from.life(f.claims).end,
		probeKey: f.from.isProbeKey(signer), reserved: f.isReserved(),
	}
}
