package keys_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

func TestSetsThatMustBeRefused(t *testing.T) {
	ec, ed := memberOf(t, generate(t, keys.ES256).Public()), memberOf(t, generate(t, keys.EdDSA).Public())
	rs := memberOf(t, generate(t, keys.RS256).Public())
	zeros := encodeBase64(make([]byte, 32))
	for name, c := range map[string]struct {
		set  []fields
		want string
	}{
		"no keys":                    {nil, "empty"},
		"short RSA key":              {[]fields{rsaMember(oddNumber(2047))}, "2047 bits is too short"},
		"long RSA key":               {[]fields{rsaMember(oddNumber(16385))}, "16385 bits is too long"},
		"even RSA modulus":           {[]fields{rsaMember(new(big.Int).Lsh(big.NewInt(1), 2048))}, "modulus must be odd"},
		"exponent 1":                 {[]fields{rs.with("e", "AQ")}, "valid JWK"},
		"exponent 2":                 {[]fields{rs.with("e", "Ag")}, "exponent"},
		"exponent 65536":             {[]fields{rs.with("e", "AQAA")}, "exponent"},
		"exponent beyond 64 bits":    {[]fields{rs.with("e", "AQAAAAAAAAABAAE")}, "valid JWK"},
		"ROCA":                       {[]fields{rsaMember(likeROCA())}, "CVE-2017-15361"},
		"alg of another family":      {[]fields{ec.with("alg", "RS256")}, "does not fit"},
		"alg HS256 for RSA":          {[]fields{rs.with("alg", "HS256")}, "does not fit"},
		"alg of another curve":       {[]fields{ec.with("alg", "ES384")}, "does not fit"},
		"crv of another curve":       {[]fields{ec.with("crv", "P-384")}, "not on the curve"},
		"crv of another kty":         {[]fields{ec.with("crv", "Ed25519")}, "valid JWK"},
		"kty of another crv":         {[]fields{ec.with("kty", "RSA")}, "valid JWK"},
		"no crv":                     {[]fields{ec.with("crv", nil)}, "valid JWK"},
		"no y":                       {[]fields{ec.with("y", nil)}, "valid JWK"},
		"point not on the curve":     {[]fields{ec.with("x", zeros)}, "not on the curve"},
		"point not on edwards25519":  {[]fields{ed.with("x", encodeBase64(append([]byte{2}, make([]byte, 31)...)))}, "not on the curve"},
		"y beyond the field":         {[]fields{ed.with("x", encodeBase64(append([]byte{0xf0}, append(bytes.Repeat([]byte{0xff}, 30), 0x7f)...)))}, "not on the curve"},
		"point of small order":       {[]fields{ed.with("x", zeros)}, "anyone can sign"},
		"Ed25519 key of 31 bytes":    {[]fields{ed.with("x", encodeBase64(make([]byte, 31)))}, "valid JWK"},
		"symmetric":                  {[]fields{{"kty": "oct", "kid": "x", "k": encodeBase64(secret)}}, "symmetric"},
		"private EC":                 {[]fields{ec.with("d", zeros)}, "private half"},
		"private EC, for encryption": {[]fields{ec.with("d", zeros).with("use", "enc")}, "private half"},
		"private, of a new type":     {[]fields{{"kty": "XYZ", "d": "AQAB"}}, "private half"},
		"a number for a string":      {[]fields{ec.with("x", 7)}, "wrong JSON type"},
		"no kty":                     {[]fields{ec.with("kty", nil)}, "not supported"},
		"101 keys":                   {slices.Repeat([]fields{{"kty": "XYZ"}}, 101), "101 keys"},
		"alg Ed25519 for another":    {[]fields{ec.with("alg", "Ed25519")}, "does not fit"},
		"two problems":               {[]fields{ec.with("alg", "RS256"), rsaMember(oddNumber(2047))}, "; key 1 (\"made\"): an RSA key"},
	} {
		t.Run(name, func(t *testing.T) {
			if set, err := keys.ParsePublic(jwks(t, c.set...)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %d keys and error %v, want one with %q", len(set.Keys), err, c.want)
			}
		})
	}
	for _, name := range []string{"d", "p", "q", "dp", "dq", "qi", "k"} {
		if _, err := keys.ParsePublic(jwks(t, rs.with(name, "AQAB"))); err == nil || !strings.Contains(err.Error(), "private half") {
			t.Errorf("private member %q: got error %v", name, err)
		}
	}
	others := rs.with("oth", []fields{{"r": "AQAB"}})
	if _, err := keys.ParsePublic(jwks(t, others)); err == nil || !strings.Contains(err.Error(), "private half") {
		t.Errorf("other primes: got error %v", err)
	}
	for _, text := range []string{"", "not json", "[]", "null", `{"KEYS":[]}`, `{"keys":null}`, `{"keys":{}}`, `{"keys":[1]}`, `{"keys":[]}x`, `{}`} {
		if _, err := keys.ParsePublic([]byte(text)); err == nil {
			t.Errorf("%q was accepted", text)
		}
	}
}

// A key that is for others costs nothing but itself.
func TestForeignKeysAreLeftOut(t *testing.T) {
	ours := memberOf(t, generate(t, keys.ES256).Public())
	p224, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	must(t, err)
	other := ours.with("kid", "other")
	for name, c := range map[string]struct {
		key  fields
		want string
	}{
		"unknown kty":                    {fields{"kty": "AKP", "kid": "other", "pub": "AA", "alg": "ML-DSA-44"}, `kty "AKP"`},
		"unknown kty with odd members":   {fields{"kty": "AKP", "x": []int{1}, "kid": 7}, "kty is not supported"},
		"curve P-224":                    {ecMember(t, &p224.PublicKey), `crv "P-224"`},
		"curve secp256k1":                {other.with("crv", "secp256k1").with("alg", nil), `crv "secp256k1"`},
		"curve X25519":                   {fields{"kty": "OKP", "crv": "X25519", "kid": "other", "x": encodeBase64(make([]byte, 32))}, `crv "X25519"`},
		"for encryption":                 {other.with("use", "enc"), `use is "enc"`},
		"for encryption, the kid of one": {ours.with("use", "enc"), `use is "enc"`},
		"may only encrypt":               {other.with("key_ops", []string{"encrypt"}), "key_ops"},
		"may only sign":                  {other.with("key_ops", []string{"sign"}), "key_ops"},
		"may do nothing":                 {other.with("key_ops", []string{}), "key_ops"},
		"alg of encryption":              {rsaMember(oddNumber(2048)).with("alg", "RSA-OAEP"), `alg "RSA-OAEP"`},
		"alg nobody knows":               {other.with("alg", "ES521"), `alg "ES521"`},
		"alg none":                       {other.with("alg", "none"), `alg "none"`},
		"kid of 257 characters":          {ours.with("kid", strings.Repeat("k", 257)), "no token can name it"},
		"kid with a line end":            {ours.with("kid", "a\nb"), "no token can name it"},
		"kid beyond ASCII":               {ours.with("kid", "schlüssel"), "no token can name it"},
	} {
		t.Run(name, func(t *testing.T) {
			set, err := keys.ParsePublic(jwks(t, c.key, ours))
			if err != nil || len(set.Keys) != 1 || set.Keys[0].ID != ours["kid"] {
				t.Fatalf("got %v, %v, want our key only", set.Keys, err)
			}
			if len(set.Ignored) != 1 || !strings.HasPrefix(set.Ignored[0], "key 0 (") || !strings.Contains(set.Ignored[0], c.want) {
				t.Errorf("ignored: %q, want one with %q", set.Ignored, c.want)
			}
			if _, err := keys.ParsePublic(jwks(t, c.key)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("with nothing else in the set: error %v, want one with %q", err, c.want)
			}
		})
	}
}

func TestWhatASetLeavesUnstated(t *testing.T) {
	ec, rs := memberOf(t, generate(t, keys.ES384).Public()), memberOf(t, generate(t, keys.PS256).Public())
	ed := memberOf(t, generate(t, keys.EdDSA).Public())
	thumbprint, err := keys.Thumbprint(rsaPublic(t))
	must(t, err)
	for name, c := range map[string]struct {
		key  fields
		want keys.Public
	}{
		"the curve tells alg": {ec.with("alg", nil), keys.Public{ID: ec["kid"].(string), Algorithm: keys.ES384}},
		"EdDSA by RFC 9864":   {ed.with("alg", "Ed25519"), keys.Public{ID: ed["kid"].(string), Algorithm: keys.EdDSA}},
		"RSA does not":        {rs.with("alg", nil), keys.Public{ID: rs["kid"].(string)}},
		"RSA with alg":        {rs, keys.Public{ID: rs["kid"].(string), Algorithm: keys.PS256}},
		"no kid":              {rs.with("kid", nil), keys.Public{ID: thumbprint, Anonymous: true, Algorithm: keys.PS256}},
		"kid empty":           {rs.with("kid", ""), keys.Public{ID: thumbprint, Anonymous: true, Algorithm: keys.PS256}},
		"no use":              {ec.with("use", nil), keys.Public{ID: ec["kid"].(string), Algorithm: keys.ES384}},
		"verify among others": {ec.with("key_ops", []string{"wrapKey", "verify"}), keys.Public{ID: ec["kid"].(string), Algorithm: keys.ES384}},
		"padding":             {ec.with("x", ec["x"].(string)+"="), keys.Public{ID: ec["kid"].(string), Algorithm: keys.ES384}},
		"broken certificate":  {ec.with("x5c", []string{"AAAA"}), keys.Public{ID: ec["kid"].(string), Algorithm: keys.ES384}},
	} {
		set, err := keys.ParsePublic(jwks(t, c.key))
		if err != nil || len(set.Keys) != 1 {
			t.Errorf("%s: got %v, %v", name, set, err)
			continue
		}
		got := set.Keys[0]
		if got.Key = nil; got.ID != c.want.ID || got.Anonymous != c.want.Anonymous || got.Algorithm != c.want.Algorithm {
			t.Errorf("%s: got %+v, want %+v", name, got, c.want)
		}
	}
	twice, err := keys.ParsePublic(jwks(t, rs.with("kid", nil), rs.with("kid", nil)))
	if err != nil || len(twice.Keys) != 1 || len(twice.Ignored) != 1 {
		t.Errorf("one key twice, without kid: got %v, %v", twice, err)
	}
}

// Whatever is wrong with a set, what it says of its keys stays in it.
func TestErrorsQuoteNoKeyMaterial(t *testing.T) {
	good := memberOf(t, generate(t, keys.RS256).Public())
	modulus := good["n"].(string)[:40]
	for _, name := range []string{"n", "e", "d", "p", "x", "y", "k", "alg", "use", "crv", "kty"} {
		for _, spoilt := range []any{"!" + modulus, modulus + "AA", 1234567890123, []string{modulus}, fields{modulus: modulus}} {
			_, err := keys.ParsePublic(jwks(t, good.with(name, spoilt)))
			if err != nil && (strings.Contains(err.Error(), modulus) || strings.Contains(err.Error(), "1234567890123")) {
				t.Errorf("%s: the error quotes the key: %v", name, err)
			}
		}
	}
	cut, err := json.Marshal(good)
	must(t, err)
	if _, err := keys.ParsePublic(cut[:len(cut)/2]); err == nil || strings.Contains(err.Error(), modulus) {
		t.Errorf("a set cut short: %v", err)
	}
}
