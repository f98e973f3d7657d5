package keys_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

// seedKeys are the same in every process of a fuzz run, and cost nothing to make.
func seedKeys(f *testing.F) []any {
	f.Helper()
	ed := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)).Public()
	set := []any{ed, exampleRSA(f)}
	for _, curve := range []elliptic.Curve{elliptic.P256(), elliptic.P384(), elliptic.P521()} {
		half := (curve.Params().BitSize + 7) / 8
		point := make([]byte, 1+2*half) // of the generator
		point[0] = 4
		curve.Params().Gx.FillBytes(point[1 : 1+half])
		curve.Params().Gy.FillBytes(point[1+half:])
		key, err := ecdsa.ParseUncompressedPublicKey(curve, point)
		must(f, err)
		set = append(set, key)
	}
	return set
}

func FuzzParsePublic(f *testing.F) {
	for i, key := range seedKeys(f) {
		good := memberOf(f, keys.Public{ID: strconv.Itoa(i), Key: key})
		f.Add(jwks(f, good))
		f.Add(jwks(f, good.with("alg", nil), good.with("kid", nil), good.with("use", "enc"), fields{"kty": "AKP"}))
		f.Add(jwks(f, good.with("d", "AQAB"), good.with("alg", "HS256"), fields{"kty": "oct", "k": encodeBase64(secret)}))
	}
	f.Add(jwks(f, rsaMember(likeROCA()), rsaMember(oddNumber(2047)), rsaMember(oddNumber(16385))))
	f.Fuzz(func(t *testing.T, data []byte) {
		set, err := keys.ParsePublic(data)
		if err != nil {
			checkQuotesNothing(t, err, material(data))
			return
		}
		checkQuotesNothing(t, errors.New(strings.Join(set.Faulty, "; ")), material(data))
		checkLoaded(t, set)
	})
}

func FuzzParsePEM(f *testing.F) {
	_, selfSigned := certificate(f, ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)), nil, nil, nil)
	for _, key := range seedKeys(f) {
		f.Add(publicBlock(f, key))
	}
	public := publicBlock(f, exampleRSA(f))
	f.Add(selfSigned)
	f.Add(bytes.Join([][]byte{public, selfSigned}, nil))
	f.Add(bytes.Join([][]byte{public[:40], public, block("PRIVATE KEY", []byte("private"))}, []byte("\n")))
	f.Fuzz(func(t *testing.T, data []byte) {
		set, err := keys.ParsePEM(data)
		if err != nil {
			var lines []string
			for line := range strings.Lines(string(data)) {
				if !strings.HasPrefix(line, "-----") {
					lines = append(lines, strings.TrimSpace(line))
				}
			}
			checkQuotesNothing(t, err, lines)
			return
		}
		for _, key := range set.Keys {
			if !key.Anonymous {
				t.Error("PEM gives no names")
			}
		}
		checkLoaded(t, set)
	})
}

func FuzzParseSharedSecret(f *testing.F) {
	for _, seed := range []string{
		"", string(secret), string(secret) + "\n", string(secret[:31]), strings.Repeat("secret", 12), strings.Repeat("\x00", 32),
		"-----BEGIN PUBLIC KEY-----", `{"keys":[]}`, "\xff\n" + string(secret) + "\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		set, err := keys.ParseSharedSecret(data)
		if err != nil {
			checkQuotesNothing(t, err, []string{string(data)})
			return
		}
		key := set.Keys[0]
		if !bytes.Equal(key.Key.([]byte), data) || len(set.Keys) != 1 || strings.Contains(key.ID, string(data)) {
			t.Fatalf("key %s is not the file", key.ID)
		}
		checkStrong(t, key)
		again, err := keys.NewShared(data, keys.HS256)
		if err != nil || again.ID() != key.ID {
			t.Errorf("the same secret is %s to sign with, and was %s: %v", again.ID(), key.ID, err)
		}
	})
}

// checkLoaded wants keys that are strong, told apart, and the same after another round.
func checkLoaded(t *testing.T, set keys.Set) {
	t.Helper()
	seen := map[string]bool{}
	for _, key := range set.Keys {
		name := key.ID + " " + string(key.Algorithm)
		if key.Anonymous {
			name = "anonymous " + name
		}
		if key.ID == "" || seen[name] {
			t.Errorf("ID and algorithm %q are empty or used twice", name)
		}
		seen[name] = true
		checkStrong(t, key)
	}
	data, err := keys.MarshalPublic(set.Keys)
	must(t, err)
	again, err := keys.ParsePublic(data)
	if err != nil || !reflect.DeepEqual(again.Keys, set.Keys) || len(again.Ignored) != 0 {
		t.Errorf("came back as %v, %v", again, err)
	}
}

func checkStrong(t *testing.T, key keys.Public) {
	t.Helper()
	bound, ok := key.Bind(keys.Algorithms())
	if !ok || key.Algorithm != "" && bound.Algorithm != key.Algorithm {
		t.Errorf("key %q states %q and was bound to %q", key.ID, key.Algorithm, bound.Algorithm)
	}
	strong := false
	switch key := key.Key.(type) {
	case ed25519.PublicKey:
		strong = len(key) == 32 && !bytes.Equal(key, make([]byte, 32))
	case *ecdsa.PublicKey:
		_, err := key.ECDH() // checks the point
		strong = err == nil && key.Params().BitSize >= 256
	case *rsa.PublicKey:
		strong = key.N.BitLen() >= 2048 && key.N.BitLen() <= 16384 && key.E >= 3 && key.E%2 == 1
	case []byte:
		strong = len(key) >= 32 && !bytes.Equal(key, bytes.Repeat(key[:1], len(key)))
	}
	if !strong {
		t.Errorf("key %q is weak", key.ID)
	}
	for _, signature := range [][]byte{nil, make([]byte, 64), make([]byte, 256), append([]byte{1}, make([]byte, 63)...)} {
		if bound.Verify("text", signature) {
			t.Errorf("key %q verifies a signature that nobody made", key.ID)
		}
	}
}

// material lists the texts in a set that look like key material, so far as it is JSON.
func material(data []byte) []string {
	var set struct{ Keys []map[string]any }
	if json.Unmarshal(data, &set) != nil {
		return []string{string(data)}
	}
	var found []string
	for _, key := range set.Keys {
		for _, name := range []string{"n", "x", "y", "d", "p", "q", "dp", "dq", "qi", "k"} {
			text, _ := key[name].(string)
			if raw, err := base64.RawURLEncoding.DecodeString(text); err == nil && len(raw) >= 32 && text != key["kid"] {
				found = append(found, text)
			}
		}
	}
	return found
}

func checkQuotesNothing(t *testing.T, err error, texts []string) {
	t.Helper()
	for _, text := range texts {
		const tellsNothing = 32
		if len(text) >= tellsNothing && strings.Contains(err.Error(), text) {
			t.Errorf("the error quotes the file: %v", err)
		}
	}
}
