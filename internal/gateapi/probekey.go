package gateapi

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

// The subjects that the operator's prober goes by. They are reserved: whoever signed for them, they may do no more than
// find the server and list what it has.
const (
	ProbeSubject = "gatehouse-probe"
	// OtherProbeSubject is who tries to enter a session of ProbeSubject.
	OtherProbeSubject = "gatehouse-probe-other"
)

const (
	// ProbePodClaim is the claim that binds a token of the probe key to a pod: its UID.
	ProbePodClaim = "gatehouse_pod"
	// ProbeTokenLifetime is the most that may lie between "iat" and "exp" of a token of the probe key.
	ProbeTokenLifetime = time.Minute
)

// IsProbeSubject tells the reserved subjects. They are compared byte for byte.
func IsProbeSubject(subject string) bool {
	return subject == ProbeSubject || subject == OtherProbeSubject
}

// ProbeKey is one more key of providers whose own the operator does not have, so that it can try their lock with a token
// that must be let in. It signs with EdDSA, whatever the Algorithms of a provider; all else that a provider asks of a
// token it asks of one of this key. Beyond that
//
//   - "sub", and each of the provider's IdentityClaims, is one and the same of the reserved subjects;
//   - "iat" is there, and "exp" no more than ProbeTokenLifetime behind it;
//   - ProbePodClaim is the UID of the gate's own pod;
//   - "kid" names the key: a token that names none is never tried with it.
//
// The server never sees such a token, nor a claim of it. A provider without a key of its own stays without: its tokens,
// those of the probe key too, are answered 503.
type ProbeKey struct {
	// ID is the "kid" of its tokens: at most 256 characters, all visible ASCII.
	ID string `json:"id"`
	// PublicKey is the Ed25519 public key in base64url without padding, the "x" of RFC 8037 section 2.
	PublicKey string `json:"publicKey"`
	// Providers are the names of those for which it is one more key, at least one.
	Providers []string `json:"providers"`
}

// Public is the key to verify with; an error says what is wrong with it.
func (k ProbeKey) Public() (keys.Public, error) {
	if _, err := base64.RawURLEncoding.Strict().DecodeString(k.PublicKey); err != nil || k.ID == "" {
		return keys.Public{}, errors.New("an id, and a public key in base64url without padding, are needed")
	}
	type jwk struct {
		Type  string `json:"kty"`
		Curve string `json:"crv"`
		ID    string `json:"kid"`
		X     string `json:"x"`
	}
	data, err := json.Marshal(map[string]any{"keys": []jwk{{Type: "OKP", Curve: "Ed25519", ID: k.ID, X: k.PublicKey}}})
	if err != nil { // Strings can be written.
		return keys.Public{}, err
	}
	set, err := keys.ParsePublic(data) // It holds the key to what is asked of all.
	if err != nil {
		return keys.Public{}, err
	}
	return set.Keys[0], nil
}

func (c Config) validateProbeKey(p problems) {
	if c.ProbeKey == nil {
		return
	}
	_, err := c.ProbeKey.Public()
	p.check(err == nil, "probeKey: %v", err)
	p.check(len(c.ProbeKey.Providers) > 0, "probeKey.providers: at least one is needed")
	named := map[string]bool{}
	for i, name := range c.ProbeKey.Providers {
		p.check(slices.ContainsFunc(c.Providers, func(v Provider) bool { return v.Name == name }),
			"probeKey.providers[%d]: %q is no provider", i, name)
		p.check(!named[name], "probeKey.providers[%d]: %q is named twice", i, name)
		named[name] = true
	}
}
