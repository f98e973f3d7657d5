package keys_test

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

// What must never be in a published set costs itself and no other key.
func TestFaultyKeyBesideAGoodOne(t *testing.T) {
	ours, ed := memberOf(t, generate(t, keys.ES256).Public()), memberOf(t, generate(t, keys.EdDSA).Public())
	rs := memberOf(t, generate(t, keys.RS256).Public())
	zeros := encodeBase64(make([]byte, 32))
	for name, c := range map[string]struct {
		key  any
		want string
	}{
		"EC without y":                {fields{"kty": "EC", "kid": "a", "crv": "P-256", "x": zeros}, `key 0 ("a"): not a valid JWK`},
		"RSA with only x5c":           {fields{"kty": "RSA", "kid": "a", "x5c": []string{"AAAA"}}, "not a valid JWK"},
		"symmetric":                   {fields{"kty": "oct", "kid": "a", "k": encodeBase64(secret)}, "symmetric"},
		"symmetric without k":         {fields{"kty": "oct", "kid": "a"}, "symmetric"},
		"private half":                {ed.with("d", zeros), "private half"},
		"short RSA":                   {rsaMember(oddNumber(1024)), "too short"},
		"ROCA":                        {rsaMember(likeROCA()), "CVE-2017-15361"},
		"exponent 2":                  {rsaMember(oddNumber(2048)).with("e", "Ag"), "exponent"},
		"small order":                 {ed.with("x", zeros), "anyone can sign"},
		"point off the curve":         {ours.with("kid", "a").with("x", zeros), "not on the curve"},
		"alg of another family":       {rs.with("alg", "ES256"), "does not fit"},
		"member of the wrong type":    {rs.with("n", 7), "wrong JSON type"},
		"member twice":                {json.RawMessage(`{"kty":"EC","kid":"a","kid":"b"}`), `member "kid" is there twice`},
		"member twice, escaped":       {json.RawMessage(`{"kty":"EC","kid":"a","k\u0069d":"b"}`), `member "kid" is there twice`},
		"members in upper case only":  {fields{"KTY": "EC", "kid": "a"}, "not supported"},
		"a number in place of a key":  {7, "not a valid JWK"},
		"null in place of a key":      {nil, "not a valid JWK"},
		"a list in place of a key":    {[]any{ours}, "not a valid JWK"},
		"a base64 member of any text": {ed.with("x", "???"), "not a valid JWK"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, set := range [][]any{{c.key, ours}, {ours, c.key}} {
				data, err := json.Marshal(map[string]any{"keys": set})
				must(t, err)
				got, err := keys.ParsePublic(data)
				if err != nil || len(got.Keys) != 1 || got.Keys[0].ID != ours["kid"] {
					t.Fatalf("got %v, %v, want our key only", got.Keys, err)
				}
				if faulty := slices.Concat(got.Faulty, got.Ignored); len(faulty) != 1 || !strings.Contains(strings.Replace(faulty[0], "key 1", "key 0", 1), c.want) {
					t.Errorf("faulty: %q, want one with %q", faulty, c.want)
				}
			}
			alone, err := json.Marshal(map[string]any{"keys": []any{c.key}})
			must(t, err)
			if got, err := keys.ParsePublic(alone); err == nil {
				t.Errorf("alone: got %+v", got)
			}
		})
	}
}

// encoding/json would take one for the other.
func TestMembersInAnotherCaseAreOthers(t *testing.T) {
	ours, other := memberOf(t, generate(t, keys.ES256).Public()), memberOf(t, generate(t, keys.ES256).Public())
	encode := func(value any) string {
		data, err := json.Marshal(value)
		must(t, err)
		return string(data)
	}
	for name, text := range map[string]string{
		"KEYS behind":        `{"keys":[` + encode(ours) + `],"KEYS":[` + encode(other) + `]}`,
		"KEYS in front":      `{"KEYS":[` + encode(other) + `],"keys":[` + encode(ours) + `]}`,
		"long s in keys":     `{"keys":[` + encode(ours) + `],"key\u017f":[` + encode(other) + `]}`,
		"KID in a key":       `{"keys":[` + encode(ours.with("KID", "another")) + `]}`,
		"X and Y in a key":   `{"keys":[` + encode(ours.with("X", other["x"]).with("Y", other["y"])) + `]}`,
		"Kelvin sign in kty": `{"keys":[` + encode(ours.with("\u212aty", "RSA")) + `]}`,
		"D in a key":         `{"keys":[` + encode(ours.with("D", "AQAB")) + `]}`,
	} {
		set, err := keys.ParsePublic([]byte(text))
		if err != nil || len(set.Keys) != 1 || set.Keys[0].ID != ours["kid"] || encode(set.Keys[0].Key) != encode(publicOf(t, ours).Key) {
			t.Errorf("%s: got %+v, %v", name, set, err)
		}
	}
	twice := `{"keys":[` + encode(ours) + `],"keys":[` + encode(other) + `]}`
	if set, err := keys.ParsePublic([]byte(twice)); err == nil {
		t.Errorf("keys twice: got %+v", set)
	}
}

func publicOf(t *testing.T, of fields) keys.Public {
	t.Helper()
	set, err := keys.ParsePublic(jwks(t, of))
	must(t, err)
	return set.Keys[0]
}

// A key is known by its kid and its alg together; only keys that both leave alike cannot be told apart.
func TestSeveralKeysOfOneKid(t *testing.T) {
	ec, ed := memberOf(t, generate(t, keys.ES256).Public()).with("kid", "a"), memberOf(t, generate(t, keys.EdDSA).Public()).with("kid", "a")
	otherEC := memberOf(t, generate(t, keys.ES256).Public()).with("kid", "a")
	rs, otherRS := rsaJWK(t).with("kid", "a"), rsaJWK(t).with("kid", "a")
	good := memberOf(t, generate(t, keys.ES384).Public()).with("kid", "good")
	as := func(key fields, alg string) fields { return key.with("alg", alg) }
	for name, c := range map[string]struct {
		set             []fields
		used            []string // kid and alg
		faulty, ignored int
	}{
		"one RSA key, two algs":                {[]fields{as(rs, "RS384"), as(rs, "RS256")}, []string{"a RS384", "a RS256"}, 0, 0},
		"one RSA key, three algs":              {[]fields{as(rs, "RS384"), as(rs, "RS256"), as(rs, "PS256")}, []string{"a RS384", "a RS256", "a PS256"}, 0, 0},
		"two RSA keys, two algs":               {[]fields{as(rs, "RS384"), as(otherRS, "RS256")}, []string{"a RS384", "a RS256"}, 0, 0},
		"RSA and EC":                           {[]fields{as(rs, "RS256"), ec}, []string{"a RS256", "a ES256"}, 0, 0},
		"EC and Ed25519":                       {[]fields{ec, ed}, []string{"a ES256", "a EdDSA"}, 0, 0},
		"the same twice":                       {[]fields{ec, ec}, []string{"a ES256"}, 0, 1},
		"the same twice, EdDSA by two names":   {[]fields{as(ed, "EdDSA"), as(ed, "Ed25519")}, []string{"a EdDSA"}, 0, 1},
		"for signatures and for encryption":    {[]fields{as(rs, "RS256"), as(otherRS, "RSA-OAEP").with("use", "enc")}, []string{"a RS256"}, 0, 1},
		"two EC keys beside a good one":        {[]fields{ec, good, otherEC}, []string{"good ES384"}, 2, 0},
		"two RSA keys of one alg, good behind": {[]fields{as(rs, "RS256"), as(otherRS, "RS256"), good}, []string{"good ES384"}, 2, 0},
		"two RSA keys, one without alg":        {[]fields{rs.with("alg", nil), as(otherRS, "RS512"), good}, []string{"good ES384"}, 2, 0},
		"two that clash and one that does not": {[]fields{ec, otherEC, ed}, []string{"a EdDSA"}, 2, 0},
		"one key, with and without alg":        {[]fields{rs.with("alg", nil), as(rs, "RS256")}, []string{"a ", "a RS256"}, 0, 0},
		"a faulty one and a good one":          {[]fields{ec.with("y", nil), otherEC}, []string{"a ES256"}, 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			set, err := keys.ParsePublic(jwks(t, c.set...))
			must(t, err)
			var used []string
			for _, key := range set.Keys {
				used = append(used, key.ID+" "+string(key.Algorithm))
			}
			if !slices.Equal(used, c.used) || len(set.Faulty) != c.faulty || len(set.Ignored) != c.ignored {
				t.Errorf("got %q, faulty %q, ignored %q", used, set.Faulty, set.Ignored)
			}
		})
	}
	if set, err := keys.ParsePublic(jwks(t, ec, otherEC)); err == nil || !strings.Contains(err.Error(), "tell them apart") {
		t.Errorf("nothing but what cannot be told apart: got %+v, %v", set, err)
	}
}

func rsaJWK(t *testing.T) fields {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	return memberOf(t, keys.Public{ID: "a", Algorithm: keys.RS256, Key: &key.PublicKey})
}

// Blocks of a PEM file are elements, too.
func TestFaultyBlockBesideAGoodOne(t *testing.T) {
	good := publicBlock(t, rsaPublic(t))
	for name, c := range map[string]struct{ block, want string }{
		"private key":   {"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "private key"},
		"damaged":       {"-----BEGIN PUBLIC KEY-----\n!!!!\n-----END PUBLIC KEY-----\n", "1 of 2 PEM blocks cannot be read"},
		"other content": {"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "not what its label says"},
		"cut off":       {"-----BEGIN PUBLIC KEY-----\nAAAA\n", "1 of 2 PEM blocks cannot be read"},
	} {
		for _, file := range []string{string(good) + c.block, c.block + string(good)} {
			set, err := keys.ParsePEM([]byte(file))
			if err != nil || len(set.Keys) != 1 || len(set.Faulty) != 1 || !strings.Contains(set.Faulty[0], c.want) {
				t.Errorf("%s: got %+v, %v", name, set, err)
			}
		}
		if set, err := keys.ParsePEM([]byte(c.block)); err == nil {
			t.Errorf("%s alone: got %+v", name, set)
		}
	}
}
