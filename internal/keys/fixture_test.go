package keys_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"slices"
	"sync"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

var (
	newRSA = sync.OnceValues(func() (keys.Private, error) { return keys.Generate(keys.RS256) })
	secret = []byte("0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJKLMNOPQRSTUVWXYZ") // 64 bytes
)

// generate makes a key. Those of one family are the same key with another algorithm: RSA keys and secrets.
func generate(t *testing.T, algorithm keys.Algorithm) keys.Private {
	t.Helper()
	if algorithm.Symmetric() {
		shared, err := keys.NewShared(secret, algorithm)
		must(t, err)
		return shared
	}
	if algorithm[0] != 'R' && algorithm[0] != 'P' {
		key, err := keys.Generate(algorithm)
		must(t, err)
		return key
	}
	key, err := newRSA()
	must(t, err)
	data, err := keys.MarshalPrivate([]keys.Private{key})
	must(t, err)
	set, err := keys.ParsePrivate(bytes.Replace(data, []byte("RS256"), []byte(algorithm), 1))
	must(t, err)
	return set[0]
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

func asymmetric() []keys.Algorithm {
	return slices.DeleteFunc(keys.Algorithms(), keys.Algorithm.Symmetric)
}

// fields is a JWK that is about to be spoilt.
type fields map[string]any

func (f fields) with(name string, value any) fields {
	changed := fields{}
	for k, v := range f {
		changed[k] = v
	}
	changed[name] = value
	if value == nil {
		delete(changed, name)
	}
	return changed
}

func jwks(tb testing.TB, set ...fields) []byte {
	tb.Helper()
	data, err := json.Marshal(map[string]any{"keys": append([]fields{}, set...)})
	must(tb, err)
	return data
}

// memberOf is the JWK of a key.
func memberOf(tb testing.TB, key keys.Public) fields {
	tb.Helper()
	data, err := keys.MarshalPublic([]keys.Public{key})
	must(tb, err)
	var set struct{ Keys []fields }
	must(tb, json.Unmarshal(data, &set))
	return set.Keys[0]
}

func encodeBase64(data []byte) string { return base64.RawURLEncoding.EncodeToString(data) }

func rsaMember(modulus *big.Int) fields {
	return fields{"kty": "RSA", "kid": "made", "alg": "RS256", "e": "AQAB", "n": encodeBase64(modulus.Bytes())}
}

// exampleRSA is the key of RFC 7638 section 3.1.
func exampleRSA(tb testing.TB) *rsa.PublicKey {
	tb.Helper()
	n, err := base64.RawURLEncoding.DecodeString("0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6t" +
		"Soc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZg" +
		"nYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kE" +
		"gU8awapJzKnqDKgw")
	must(tb, err)
	return &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: 65537}
}

// oddNumber is no product of two primes, but as long as one.
func oddNumber(bits uint) *big.Int {
	return new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), bits), big.NewInt(159))
}

// likeROCA has the mark of the flawed generator: it is a power of 65537 modulo anything.
func likeROCA() *big.Int { return new(big.Int).Exp(big.NewInt(65537), big.NewInt(128), nil) }

func ecMember(t *testing.T, key *ecdsa.PublicKey) fields {
	t.Helper()
	point, err := key.Bytes()
	must(t, err)
	half := (len(point) - 1) / 2
	return fields{
		"kty": "EC", "kid": "made", "crv": key.Params().Name, "x": encodeBase64(point[1 : 1+half]), "y": encodeBase64(point[1+half:]),
	}
}

func rsaPublic(t *testing.T) *rsa.PublicKey {
	t.Helper()
	return generate(t, keys.RS256).Public().Key.(*rsa.PublicKey)
}
