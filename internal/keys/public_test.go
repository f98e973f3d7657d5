package keys_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

// One key material under two algorithms is where confusion would show: RSA keys and secrets are the same for all here.
func TestAKeyVerifiesByItsOwnAlgorithmOnly(t *testing.T) {
	const text = "header.claims"
	set := map[keys.Algorithm]keys.Private{}
	for _, algorithm := range keys.Algorithms() {
		set[algorithm] = generate(t, algorithm)
	}
	for signing, key := range set {
		signature, err := key.Sign(text)
		must(t, err)
		for verifying, other := range set {
			if got := other.Public().Verify(text, signature); got != (signing == verifying) {
				t.Errorf("signed by %s, verified by %s: %t", signing, verifying, got)
			}
		}
		public := key.Public()
		spoilt := slices.Clone(signature)
		spoilt[len(spoilt)/2] ^= 1
		if public.Verify(text+"x", signature) || public.Verify(text, spoilt) || public.Verify(text, nil) ||
			public.Verify(text, signature[:len(signature)-1]) || public.Verify(text, append(signature, 0)) {
			t.Errorf("%s: another text or signature verifies", signing)
		}
		public.Algorithm = ""
		if public.Verify(text, signature) {
			t.Errorf("%s: a key that has no algorithm yet verifies", signing)
		}
	}
}

// A public key that is taken for the bytes of a secret is the oldest confusion of all.
func TestAPublicKeyIsNoSecret(t *testing.T) {
	for _, algorithm := range asymmetric() {
		public := generate(t, algorithm).Public()
		for _, symmetric := range []keys.Algorithm{keys.HS256, keys.HS384, keys.HS512, "none", "None", ""} {
			if bound, ok := public.Bind([]keys.Algorithm{symmetric}); ok {
				t.Errorf("%s key was bound to %q", algorithm, bound.Algorithm)
			}
		}
	}
	if _, ok := (keys.Public{Key: secret}).Bind(asymmetric()); ok {
		t.Error("a secret was bound to an asymmetric algorithm")
	}
}

func TestBind(t *testing.T) {
	stated, unstated := generate(t, keys.RS384).Public(), generate(t, keys.RS384).Public()
	unstated.Algorithm = ""
	ofBytes := func(n int) keys.Public { return keys.Public{Key: secret[:n]} }
	type allowed = []keys.Algorithm
	for name, c := range map[string]struct {
		key     keys.Public
		allowed allowed
		want    keys.Algorithm
	}{
		"its own, though it comes last":  {stated, allowed{keys.RS256, keys.PS256, keys.RS384}, keys.RS384},
		"its own is not allowed":         {stated, allowed{keys.RS256, keys.PS384}, ""},
		"nothing is allowed":             {unstated, nil, ""},
		"unstated: the first that fits":  {unstated, allowed{keys.EdDSA, keys.HS256, keys.PS512, keys.RS256}, keys.PS512},
		"unstated: none fits":            {unstated, allowed{keys.EdDSA, keys.ES256}, ""},
		"a secret of 32 bytes":           {ofBytes(32), allowed{keys.HS512, keys.HS384, keys.HS256}, keys.HS256},
		"a secret of 47 bytes":           {ofBytes(47), allowed{keys.HS512, keys.HS384, keys.HS256}, keys.HS256},
		"a secret of 48 bytes":           {ofBytes(48), allowed{keys.HS512, keys.HS384, keys.HS256}, keys.HS384},
		"a secret of 64 bytes":           {ofBytes(64), allowed{keys.HS512, keys.HS384, keys.HS256}, keys.HS512},
		"a secret, in the order allowed": {ofBytes(64), allowed{keys.HS256, keys.HS512}, keys.HS256},
		"a secret too short for it":      {ofBytes(48), allowed{keys.HS512}, ""},
		"a secret too short for any":     {ofBytes(31), keys.Algorithms(), ""},
		"no key":                         {keys.Public{Algorithm: keys.EdDSA}, keys.Algorithms(), ""},
		"alg that the key cannot serve":  {keys.Public{Algorithm: keys.ES256, Key: unstated.Key}, keys.Algorithms(), ""},
	} {
		bound, ok := c.key.Bind(c.allowed)
		if ok != (c.want != "") || bound.Algorithm != c.want {
			t.Errorf("%s: bound to %q, want %q", name, bound.Algorithm, c.want)
		}
		if ok && (bound.ID != c.key.ID || bound.Anonymous != c.key.Anonymous) {
			t.Errorf("%s: the key became another", name)
		}
	}
}

// RFC 7518 section 3.5: the salt is as long as the hash.
func TestSaltOfAnyOtherLength(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	public := keys.Public{Algorithm: keys.PS256, Key: &key.PublicKey}
	digest := sha256.Sum256([]byte("text"))
	for _, salt := range []int{rsa.PSSSaltLengthEqualsHash, 1, 20, 31, 33, 64, rsa.PSSSaltLengthAuto} {
		signature, err := rsa.SignPSS(rand.Reader, key, crypto.SHA256, digest[:], &rsa.PSSOptions{SaltLength: salt})
		must(t, err)
		if got := public.Verify("text", signature); got != (salt == rsa.PSSSaltLengthEqualsHash) {
			t.Errorf("salt of %d bytes: verified %t", salt, got)
		}
	}
}

// Keys that no loader would let through, for whoever makes them by hand.
func TestWeakKeysVerifyNothing(t *testing.T) {
	short, err := rsa.GenerateKey(rand.Reader, 1024)
	must(t, err)
	p224, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	must(t, err)
	one := rsa.PublicKey{N: rsaPublic(t).N, E: 1}
	for name, key := range map[string]any{
		"none": nil, "nil Ed25519": ed25519.PublicKey(nil), "nil EC": (*ecdsa.PublicKey)(nil), "nil RSA": (*rsa.PublicKey)(nil),
		"zero EC": &ecdsa.PublicKey{}, "zero RSA": &rsa.PublicKey{}, "short RSA": &short.PublicKey, "exponent 1": &one,
		"P-224": &p224.PublicKey, "no secret": []byte{}, "nil secret": []byte(nil), "short secret": secret[:31],
		"zeros": make([]byte, 64), "text": string(secret), "private": short, "values": *rsaPublic(t),
	} {
		for _, algorithm := range keys.Algorithms() {
			public := keys.Public{ID: name, Algorithm: algorithm, Key: key}
			if bound, ok := public.Bind(keys.Algorithms()); ok {
				t.Errorf("%s: bound to %s", name, bound.Algorithm)
			}
			if public.Verify("text", make([]byte, 64)) {
				t.Errorf("%s: verified by %s", name, algorithm)
			}
		}
	}
	// Without a look at the key these would verify.
	for _, weak := range [][]byte{{}, make([]byte, 64), secret[:31]} {
		signature := hmacSHA256(weak, "text")
		if (keys.Public{Algorithm: keys.HS256, Key: weak}).Verify("text", signature) {
			t.Errorf("a secret of %d bytes verifies", len(weak))
		}
	}
	digest := sha256.Sum256([]byte("text"))
	signature, err := rsa.SignPKCS1v15(nil, short, crypto.SHA256, digest[:])
	must(t, err)
	if (keys.Public{Algorithm: keys.RS256, Key: &short.PublicKey}).Verify("text", signature) {
		t.Error("an RSA key of 1024 bits verifies")
	}
}

// Under a key of small order the signature of nobody fits one text in eight, at the least.
func TestKeysOfSmallOrder(t *testing.T) {
	ones := append(bytes.Repeat([]byte{0xff}, 31), 0x7f)
	ending := func(first byte) []byte { return append([]byte{first}, ones[1:]...) }
	eight, err := hex.DecodeString("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05")
	must(t, err)
	other, err := hex.DecodeString("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a")
	must(t, err)
	nobody := append([]byte{1}, make([]byte, 63)...)
	for i, y := range [][]byte{
		make([]byte, 32), nobody[:32], eight, other, ending(0xec), ending(0xed), ending(0xee),
	} {
		for _, sign := range []byte{0, 0x80} {
			key := ed25519.PublicKey(slices.Clone(y))
			key[31] |= sign
			found := false
			for n := 0; n < 300 && !found; n++ {
				text := fmt.Sprint(n)
				if found = ed25519.Verify(key, []byte(text), nobody); found && (keys.Public{Algorithm: keys.EdDSA, Key: key}).Verify(text, nobody) {
					t.Errorf("point %d, sign %#x: the signature of nobody verifies", i, sign)
				}
			}
			// The points with x = 0 have no other sign, and in that spelling are points to nobody.
			if !found && (sign == 0 || i != 1 && i != 4 && i != 6) {
				t.Errorf("point %d, sign %#x is not of small order", i, sign)
			}
		}
	}
}
