package attack

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"math/big"
	"sync"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

// signer signs in the name of kid; a signer without one signs anonymously.
type signer struct {
	kid, algorithm string
	public         crypto.PublicKey
	sign           func(text string) []byte
}

// issuers are the private halves of what the gate knows, and a key that it does not know.
type issuers struct {
	ed, ec, rs, ps signer // of provider main
	other          signer // of provider other
	stranger       signer
	shared         signer
	rsa            *rsa.PrivateKey // of rs
	pss            *rsa.PrivateKey // of ps
	curve          *ecdsa.PrivateKey
}

var sharedSecret = []byte("a secret of more than thirty-two bytes, shared with an issuer")

// newIssuers makes keys once: RSA takes its time.
var newIssuers = sync.OnceValue(func() *issuers {
	i := &issuers{rsa: newRSA(), pss: newRSA()}
	var err error
	if i.curve, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		panic(err)
	}
	i.ed, i.other, i.stranger = newEd("ed-1"), newEd("other-1"), newEd("stranger-1")
	i.ec = signer{kid: "ec-1", algorithm: "ES256", public: &i.curve.PublicKey, sign: func(text string) []byte {
		digest := sha256.Sum256([]byte(text))
		r, s, err := ecdsa.Sign(rand.Reader, i.curve, digest[:])
		if err != nil {
			panic(err)
		}
		return es256Signature(r, s)
	}}
	i.rs = signer{kid: "rsa-1", algorithm: "RS256", public: &i.rsa.PublicKey, sign: func(text string) []byte {
		digest := sha256.Sum256([]byte(text))
		signature, err := rsa.SignPKCS1v15(nil, i.rsa, crypto.SHA256, digest[:])
		if err != nil {
			panic(err)
		}
		return signature
	}}
	i.ps = i.salted(sha256.Size)
	i.shared = hs256(sharedSecret)
	return i
})

func newRSA() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
}

func newEd(kid string) signer {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	return signer{kid: kid, algorithm: "EdDSA", public: public, sign: func(text string) []byte { return ed25519.Sign(private, []byte(text)) }}
}

// salted signs with a salt of this many bytes. RFC 7518 section 3.5 wants that of the hash.
func (i *issuers) salted(bytes int) signer {
	return signer{kid: "pss-1", algorithm: "PS256", public: &i.pss.PublicKey, sign: func(text string) []byte {
		digest := sha256.Sum256([]byte(text))
		signature, err := rsa.SignPSS(rand.Reader, i.pss, crypto.SHA256, digest[:], &rsa.PSSOptions{SaltLength: bytes})
		if err != nil {
			panic(err)
		}
		return signature
	}}
}

// hs256 signs with any secret, also with none.
func hs256(secret []byte) signer {
	return signer{algorithm: "HS256", sign: func(text string) []byte {
		mac := hmac.New(sha256.New, secret)
		mac.Write([]byte(text))
		return mac.Sum(nil)
	}}
}

// es256Signature is an ES256 signature (RFC 7518 section 3.4).
func es256Signature(r, s *big.Int) []byte {
	out := make([]byte, 64)
	r.FillBytes(out[:32])
	s.FillBytes(out[32:])
	return out
}

func publicSet(tb testing.TB, signers ...signer) []byte {
	tb.Helper()
	var set []keys.Public
	for _, s := range signers {
		set = append(set, keys.Public{ID: s.kid, Algorithm: keys.Algorithm(s.algorithm), Key: s.public})
	}
	encoded, err := keys.MarshalPublic(set)
	must(tb, err)
	return encoded
}
