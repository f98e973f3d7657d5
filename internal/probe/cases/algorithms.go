package cases

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/keys"
	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/expect"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/plan"
	"github.com/mcp-gatehouse/gatehouse/internal/token"
)

// confused signs with the bytes of public keys, in the forms in which a program may hold them.
func confused(p *plan.Planner, from *plan.Issuer) []plan.TestCase {
	var all []plan.TestCase
	victims := append([]keys.Public{from.Tokens.Key.Public()}, from.Public...)
	for _, victim := range victims[:min(len(victims), maxVictims)] {
		for _, form := range formsOf(victim) {
			// A key without a name may stand beside shared secrets: then those are what the token is checked with.
			q := p.Spoilt(probe.AlgConfused, from, expect.Unauthorized(probe.ReasonAlgorithm, probe.ReasonSignature), func(raw string) (string, error) {
				return token.Confused(raw, victim, form.bytes)
			})
			q.Variation = form.name + " of key " + victim.ID
			all = append(all, q)
		}
	}
	return all
}

type keyForm struct {
	name  string
	bytes []byte
}

// formsOf is empty for a shared secret, which has nothing public.
func formsOf(key keys.Public) []keyForm {
	der, err := x509.MarshalPKIXPublicKey(key.Key)
	if err != nil {
		return nil
	}
	forms := []keyForm{
		{"PEM", pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})},
		{"DER", der},
	}
	switch public := key.Key.(type) {
	case ed25519.PublicKey:
		forms = append(forms, keyForm{"raw bytes", public})
	case *ecdsa.PublicKey:
		if point, err := public.Bytes(); err == nil {
			forms = append(forms, keyForm{"raw bytes", point})
		}
	case *rsa.PublicKey:
		forms = append(forms, keyForm{"raw bytes", public.N.Bytes()})
	}
	return forms
}

// otherAlgorithm signs with the issuer's own key, by an algorithm that its type can serve and that is not its own.
func otherAlgorithm(p *plan.Planner, from *plan.Issuer) []plan.TestCase {
	others := from.Tokens.Key.Others()
	if len(others) == 0 {
		return nil // A key of an elliptic curve has one algorithm.
	}
	var all []plan.TestCase
	for _, key := range plan.InTurn(p, others, 1) {
		all = append(all, byOtherAlgorithm(p, from, key))
	}
	return all
}

func byOtherAlgorithm(p *plan.Planner, from *plan.Issuer, key keys.Private) plan.TestCase {
	want := expect.Unauthorized(probe.ReasonAlgorithm)
	if key.Public().Anonymous { // It may stand beside keys of that algorithm, and none of them has a name.
		want.Reasons = append(want.Reasons, probe.ReasonUnknownKey, probe.ReasonSignature)
	}
	q := p.Minted(probe.OtherAlgorithm, from, want, func(now time.Time) (string, error) {
		template := from.Tokens
		template.Key = key
		return template.Good(now)
	})
	q.Variation = string(key.Algorithm())
	return q
}
