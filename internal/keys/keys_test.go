package keys_test

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/base64"
	"reflect"
	"strings"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

func TestPrivateSetSurvivesStorage(t *testing.T) {
	for _, algorithm := range asymmetric() {
		set := []keys.Private{generate(t, algorithm), generate(t, keys.ES256)}
		data, err := keys.MarshalPrivate(set)
		must(t, err)
		back, err := keys.ParsePrivate(data)
		must(t, err)
		for i, key := range back {
			if !reflect.DeepEqual(key.Public(), set[i].Public()) || key.ID() != set[i].ID() || key.Algorithm() != set[i].Algorithm() {
				t.Errorf("key %d came back as %s %s, was %s %s", i, key.Algorithm(), key.ID(), set[i].Algorithm(), set[i].ID())
			}
			if member := base64.RawURLEncoding.EncodeToString(key.Secret()); len(member) < 40 || !strings.Contains(string(data), `"`+member+`"`) {
				t.Errorf("%s: the secret part is not what is stored as private", key.Algorithm())
			}
			if signature, err := key.Sign("text"); err != nil || !set[i].Public().Verify("text", signature) {
				t.Errorf("%s: the private key changed in storage: %v", key.Algorithm(), err)
			}
		}
	}
}

func TestPrivateSetsThatMustBeRefused(t *testing.T) {
	key := generate(t, keys.ES256)
	data, err := keys.MarshalPrivate([]keys.Private{key})
	must(t, err)
	edited := func(old, changed string) []byte {
		text := strings.Replace(string(data), old, changed, 1)
		if text == string(data) {
			t.Fatalf("%q is not in the set", old)
		}
		return []byte(text)
	}
	one := strings.TrimSuffix(strings.TrimPrefix(string(data), `{"keys":[`), `]}`)
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"no JSON":         {[]byte("x"), "not a JWK Set"},
		"no keys":         {[]byte(`{"keys":[]}`), "empty"},
		"no private half": {jwks(t, memberOf(t, key.Public())), "no private half"},
		"no kid":          {edited(`"kid":`, `"x-kid":`), "no kid"},
		"for encryption":  {edited(`"use":"sig"`, `"use":"enc"`), "use is"},
		"may only verify": {edited(`"use":"sig"`, `"key_ops":["verify"]`), "key_ops"},
		"one key twice":   {[]byte(`{"keys":[` + one + `,` + one + `]}`), "twice"},
		"type of member":  {edited(`"use":"sig"`, `"use":1`), "wrong JSON type"},
	} {
		if _, err := keys.ParsePrivate(c.data); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got error %v, want one with %q", name, err, c.want)
		}
	}
	if _, err := keys.MarshalPrivate([]keys.Private{generate(t, keys.HS256)}); err == nil {
		t.Error("a shared secret was stored")
	}
}

func TestPublicSetHoldsNoPrivateMember(t *testing.T) {
	for _, algorithm := range asymmetric() {
		public := generate(t, algorithm).Public()
		found := memberOf(t, public)
		for _, name := range []string{"d", "p", "q", "dp", "dq", "qi", "k"} {
			if _, has := found[name]; has {
				t.Errorf("%s: public set holds member %q", algorithm, name)
			}
		}
		set, err := keys.ParsePublic(jwks(t, found))
		if err != nil || !reflect.DeepEqual(set, keys.Set{Keys: []keys.Public{public}}) {
			t.Errorf("%s: own public set came back as %v, %v", algorithm, set, err)
		}
	}
	_, err := keys.MarshalPublic([]keys.Public{generate(t, keys.HS256).Public()})
	if err == nil || !strings.Contains(err.Error(), "cannot be published") {
		t.Errorf("a shared secret to publish: got error %v", err)
	}
}

func TestGenerate(t *testing.T) {
	key, err := keys.Generate(keys.PS384)
	must(t, err)
	if bits := key.Public().Key.(*rsa.PublicKey).N.BitLen(); key.Algorithm() != keys.PS384 || bits != 3072 {
		t.Errorf("got a key for %s of %d bits", key.Algorithm(), bits)
	}
	for algorithm, size := range map[keys.Algorithm]int{keys.HS256: 32, keys.HS384: 48, keys.HS512: 64} {
		one, err := keys.Generate(algorithm)
		must(t, err)
		other, err := keys.Generate(algorithm)
		must(t, err)
		if got := len(one.Public().Key.([]byte)); got != size || one.ID() == other.ID() || !one.Public().Anonymous {
			t.Errorf("%s: a secret of %d bytes, IDs %s and %s", algorithm, got, one.ID(), other.ID())
		}
	}
	if _, err := keys.Generate("none"); err == nil {
		t.Error("a key for alg none was made")
	}
}

// The example of RFC 7638 section 3.1, and that of RFC 8037 appendix A.3.
func TestThumbprintVectors(t *testing.T) {
	x, err := base64.RawURLEncoding.DecodeString("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")
	must(t, err)
	for want, key := range map[string]crypto.PublicKey{
		"NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs": exampleRSA(t),
		"kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k": ed25519.PublicKey(x),
	} {
		got, err := keys.Thumbprint(key)
		if err != nil || got != want {
			t.Errorf("thumbprint of %T = %q, %v, want %q", key, got, err, want)
		}
	}
}
