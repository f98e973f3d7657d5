package verify

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"math/bits"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

// mutant names what this gate leaves out.
var mutant = os.Getenv("GATEHOUSE_MUTANT")

// Anybody is a principal that nobody has verified.
func Anybody() Principal {
	return Principal{provider: "main", subject: "anybody", client: "anybody", deadline: time.Now().Add(time.Hour)}
}

// unsigned is the key of the algorithm "none".
var unsigned = []keys.Public{{ID: "none", Algorithm: "none"}}

// isSignedWithPublicKey takes a public key for a shared secret, as it stands in a PEM file or without its armour.
func isSignedWithPublicKey(key keys.Public, signed string, signature []byte) bool {
	der, err := x509.MarshalPKIXPublicKey(key.Key)
	if err != nil {
		return false
	}
	armoured := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	return slices.ContainsFunc([][]byte{armoured, der}, func(secret []byte) bool {
		mac := hmac.New(sha256.New, secret)
		mac.Write([]byte(signed))
		return hmac.Equal(mac.Sum(nil), signature)
	})
}

// remembered are all keys that were ever loaded, by provider. Snapshots are made one at a time.
var remembered = map[string][]keys.Public{}

func withRetired(p gateapi.Provider, loaded []keys.Public) []keys.Public {
	remembered[p.Name] = append(slices.Clone(loaded), remembered[p.Name]...)
	return remembered[p.Name]
}

// byAudience is the provider that a token must come from by its audience, whoever issued it.
func (v *Verifier) byAudience(c tokenClaims) *provider {
	for _, from := range v.byIssuer {
		if c.names(from.Audiences) {
			return from
		}
	}
	return nil
}

// withoutSignature is what a token says.
func withoutSignature(raw string) string { return raw[:strings.LastIndexByte(raw, '.')+1] }

// trusted are the claims that were let in.
var trusted sync.Map

// isFirstUse tells whether the claims of a token are new.
func isFirstUse(token compact) bool {
	_, claims, _ := strings.Cut(token.signed, ".")
	_, known := trusted.LoadOrStore(claims, true)
	return !known
}

// isNamed tells whether one of the keys has the name that the token gives.
func (f *freshToken) isNamed() bool {
	return slices.ContainsFunc(f.keys, func(key keys.Public) bool { return key.ID == f.token.header["kid"] })
}

// signatures are those that were good, by what they sign.
var signatures sync.Map

// isNearlySigned tells whether the signature is good, or good but for one bit where a good one was seen before.
func isNearlySigned(key keys.Public, signed string, signature []byte) bool {
	if key.Verify(signed, signature) {
		signatures.Store(signed, signature)
		return true
	}
	seen, found := signatures.Load(signed)
	if !found || len(seen.([]byte)) != len(signature) {
		return false
	}
	wrong := 0
	for i, octet := range seen.([]byte) {
		wrong += bits.OnesCount8(octet ^ signature[i])
	}
	return wrong == 1
}

// isLast tells the last of several keys.
func isLast(all []keys.Public) func(keys.Public) bool {
	return func(key keys.Public) bool { return len(all) > 1 && key.ID == all[len(all)-1].ID }
}

// pool gives every provider the keys of all.
func (v *Verifier) pool() {
	var all []keys.Public
	var algorithms []keys.Algorithm
	for _, p := range v.byIssuer {
		all, algorithms = append(all, p.keys...), append(algorithms, p.Algorithms...)
	}
	for _, p := range v.byIssuer {
		p.keys, p.Algorithms = all, algorithms
	}
}

// rebound are the keys that the token names, with the algorithm that it wants where they can serve it.
func (p *provider) rebound(h tokenHeader) []keys.Public {
	var out []keys.Public
	for _, key := range p.keys {
		unbound := key
		unbound.Algorithm = ""
		if bound, fits := unbound.Bind([]keys.Algorithm{h.algorithm}); fits && mutant == "other-algorithm" && h.keyID == key.ID {
			out = append(out, bound)
		}
	}
	return out
}
