package keys_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

func generate(t *testing.T, algorithm keys.Algorithm) keys.Private {
	t.Helper()
	key, err := keys.Generate(algorithm)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func asymmetric() []keys.Algorithm { return slices.DeleteFunc(keys.Algorithms(), keys.Algorithm.Symmetric) }

func TestPrivateSetSurvivesStorage(t *testing.T) {
	var set []keys.Private
	for _, algorithm := range asymmetric() {
		set = append(set, generate(t, algorithm))
	}
	data, err := keys.MarshalPrivate(set)
	if err != nil {
		t.Fatal(err)
	}
	back, err := keys.ParsePrivate(data)
	if err != nil {
		t.Fatal(err)
	}
	for i, key := range back {
		if key.ID() != set[i].ID() || key.Algorithm() != set[i].Algorithm() {
			t.Errorf("key %d came back as %s %s, was %s %s", i, key.Algorithm(), key.ID(), set[i].Algorithm(), set[i].ID())
		}
		if signature, err := key.Sign("text"); err != nil || !set[i].Public().Verify("text", signature) {
			t.Errorf("%s: the private key changed in storage: %v", key.Algorithm(), err)
		}
	}
}

func TestPublicSetHoldsNoPrivateMember(t *testing.T) {
	for _, algorithm := range asymmetric() {
		data, err := keys.MarshalPublic([]keys.Public{generate(t, algorithm).Public()})
		if err != nil {
			t.Fatal(err)
		}
		var set struct{ Keys []map[string]any }
		if err := json.Unmarshal(data, &set); err != nil {
			t.Fatal(err)
		}
		for _, member := range []string{"d", "p", "q", "dp", "dq", "qi", "k"} {
			if _, found := set.Keys[0][member]; found {
				t.Errorf("%s: public set holds member %q", algorithm, member)
			}
		}
		if _, err := keys.ParsePublic(data); err != nil {
			t.Errorf("%s: own public set refused: %v", algorithm, err)
		}
	}
}

// The example of RFC 7638 section 3.1, and that of RFC 8037 appendix A.3.
func TestThumbprintVectors(t *testing.T) {
	modulus := "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMst" +
		"n64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbI" +
		"SD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
	n, err := base64.RawURLEncoding.DecodeString(modulus)
	if err != nil {
		t.Fatal(err)
	}
	x, err := base64.RawURLEncoding.DecodeString("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")
	if err != nil {
		t.Fatal(err)
	}
	for want, key := range map[string]crypto.PublicKey{
		"NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs": &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: 65537},
		"kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k": ed25519.PublicKey(x),
	} {
		got, err := keys.Thumbprint(key)
		if err != nil || got != want {
			t.Errorf("thumbprint of %T = %q, %v, want %q", key, got, err, want)
		}
	}
}

func TestSetsThatMustBeRefused(t *testing.T) {
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	p224, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	good := member(t, generate(t, keys.ES256).Public())
	edited := func(name string, value any) []map[string]any {
		one := map[string]any{}
		for k, v := range good {
			one[k] = v
		}
		one[name] = value
		return []map[string]any{one}
	}
	cases := map[string]struct {
		set  []map[string]any
		want string
	}{
		"no keys":                {[]map[string]any{}, "empty"},
		"short RSA key":          {[]map[string]any{rsaMember(&weak.PublicKey)}, "too short"},
		"curve P-224":            {[]map[string]any{ecMember(t, &p224.PublicKey)}, "P-224"},
		"alg of another family":  {edited("alg", "RS256"), "does not fit"},
		"alg none":               {edited("alg", "none"), "not supported"},
		"meant for encryption":   {edited("use", "enc"), "use is"},
		"may only encrypt":       {edited("key_ops", []string{"encrypt"}), "key_ops"},
		"kid of 257 characters":  {edited("kid", strings.Repeat("k", 257)), "kid"},
		"kid twice":              {append(edited("use", "sig"), good), "twice"},
		"symmetric":              {[]map[string]any{{"kty": "oct", "kid": "x", "k": "AAAA"}}, "symmetric"},
		"point not on the curve": {edited("x", base64.RawURLEncoding.EncodeToString(make([]byte, 32))), "not on the curve"},
		"unknown key type":       {[]map[string]any{{"kty": "XYZ", "kid": "x"}}, "not supported"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			data, err := json.Marshal(map[string]any{"keys": c.set})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := keys.ParsePublic(data); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got error %v, want one with %q", err, c.want)
			}
		})
	}
	private, err := keys.MarshalPrivate([]keys.Private{generate(t, keys.EdDSA)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := keys.ParsePublic(private); err == nil || !strings.Contains(err.Error(), "private half") {
		t.Errorf("a private key in a public set: got %v", err)
	}
	if _, err := keys.ParsePublic([]byte("not json")); err == nil {
		t.Error("text that is no JSON was accepted")
	}
}

func member(t *testing.T, key keys.Public) map[string]any {
	t.Helper()
	data, err := keys.MarshalPublic([]keys.Public{key})
	if err != nil {
		t.Fatal(err)
	}
	var set struct{ Keys []map[string]any }
	if err := json.Unmarshal(data, &set); err != nil {
		t.Fatal(err)
	}
	return set.Keys[0]
}

func rsaMember(key *rsa.PublicKey) map[string]any {
	return map[string]any{"kty": "RSA", "kid": "weak", "e": "AQAB", "n": base64.RawURLEncoding.EncodeToString(key.N.Bytes())}
}

func ecMember(t *testing.T, key *ecdsa.PublicKey) map[string]any {
	t.Helper()
	point, err := key.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	half := (len(point) - 1) / 2
	return map[string]any{
		"kty": "EC", "kid": "p224", "crv": "P-224",
		"x": base64.RawURLEncoding.EncodeToString(point[1 : 1+half]),
		"y": base64.RawURLEncoding.EncodeToString(point[1+half:]),
	}
}
