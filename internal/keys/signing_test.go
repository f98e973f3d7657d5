package keys

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"strings"
	"testing"
)

func pemOf(label string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: label, Bytes: der}))
}

// keyFiles are signing keys in the forms in which people have them.
func keyFiles(t *testing.T) map[string]string {
	t.Helper()
	_, ed25519Key, err := ed25519.GenerateKey(rand.Reader)
	noError(t, err)
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	noError(t, err)
	long, err := rsa.GenerateKey(rand.Reader, 2048)
	noError(t, err)
	files := map[string]string{"rsa pkcs1": pemOf("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(long))}
	for label, key := range map[string]any{"edwards": ed25519Key, "curve": curve, "rsa": long} {
		der, err := x509.MarshalPKCS8PrivateKey(key)
		noError(t, err)
		files[label] = pemOf("PRIVATE KEY", der)
	}
	sec1, err := x509.MarshalECPrivateKey(curve)
	noError(t, err)
	files["curve sec1"] = pemOf("EC PARAMETERS", []byte{6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7}) + pemOf("EC PRIVATE KEY", sec1)
	public, err := x509.MarshalPKIXPublicKey(curve.Public())
	noError(t, err)
	files["public"] = pemOf("PUBLIC KEY", public)
	one, err := Generate(EdDSA)
	noError(t, err)
	two, err := Generate(ES256)
	noError(t, err)
	set, err := MarshalPrivate([]Private{one, two})
	noError(t, err)
	files["set"], files["second kid"] = string(set), two.ID()
	var parsed struct{ Keys []json.RawMessage }
	noError(t, json.Unmarshal(set, &parsed))
	files["jwk"] = string(parsed.Keys[1])
	published, err := MarshalPublic([]Public{one.Public()})
	noError(t, err)
	files["public set"] = string(published)
	files["secret"] = "nineteen-otters-keep-88-quiet-lamps"
	files["oct"] = `{"kty":"oct","alg":"HS256","k":"` + base64.RawURLEncoding.EncodeToString([]byte(files["secret"])) + `"}`
	files["oct named"] = strings.Replace(files["oct"], `"alg"`, `"kid":"o-1","alg"`, 1)
	return files
}

func noError(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestParseSigning(t *testing.T) {
	files := keyFiles(t)
	second := files["second kid"]
	for _, c := range []struct {
		file      string
		want      Signing
		algorithm Algorithm
		kid       string // "" is none
	}{
		{"edwards", Signing{}, EdDSA, ""},
		{"edwards", Signing{ID: "mine"}, EdDSA, "mine"},
		{"curve", Signing{Algorithm: ES256}, ES256, ""},
		{"curve sec1", Signing{}, ES256, ""},
		{"rsa", Signing{}, RS256, ""},
		{"rsa pkcs1", Signing{Algorithm: PS384}, PS384, ""},
		{"set", Signing{ID: second}, ES256, second},
		{"jwk", Signing{}, ES256, second},
		{"jwk", Signing{ID: "other"}, ES256, "other"},
		{"oct", Signing{}, HS256, ""},
		{"oct named", Signing{}, HS256, "o-1"},
	} {
		key, err := ParseSigning([]byte(files[c.file]), c.want)
		noError(t, err)
		checkSigning(t, c.file, key, c.algorithm, c.kid)
	}
	key, err := ParseSigning([]byte(files["set"]), Signing{})
	noError(t, err)
	if key.Algorithm() != EdDSA || key.ID() == second {
		t.Errorf("of a set without a kid: %s %s", key.Algorithm(), key.ID())
	}
	secret, err := ParseSigningSecret([]byte(files["secret"]), Signing{ID: "s-1"})
	noError(t, err)
	checkSigning(t, "secret", secret, HS256, "s-1")
}

// checkSigning also signs: key and algorithm belong together.
func checkSigning(t *testing.T, file string, key Private, algorithm Algorithm, kid string) {
	t.Helper()
	public := key.Public()
	if key.Algorithm() != algorithm || public.Anonymous != (kid == "") || kid != "" && public.ID != kid {
		t.Errorf("%s: %s, kid %q, anonymous %v", file, key.Algorithm(), public.ID, public.Anonymous)
	}
	signature, err := key.Sign("text")
	noError(t, err)
	if !public.Verify("text", signature) {
		t.Errorf("%s: the signature is not of this key", file)
	}
}

func TestParseSigningRefuses(t *testing.T) {
	files := keyFiles(t)
	for name, c := range map[string]struct {
		file string
		want Signing
		says string
	}{
		"nothing":             {"", Signing{}, "empty"},
		"a secret":            {files["secret"], Signing{}, "if it is a shared secret, say so"},
		"a public key":        {files["public"], Signing{}, "the public half cannot sign"},
		"a public set":        {files["public set"], Signing{}, "the public one cannot sign"},
		"two keys":            {files["rsa"] + files["curve"], Signing{}, "several private keys"},
		"an encrypted key":    {pemOf("ENCRYPTED PRIVATE KEY", []byte("x")), Signing{}, "decrypt it first"},
		"an OpenSSH key":      {pemOf("OPENSSH PRIVATE KEY", []byte("x")), Signing{}, "convert it to PKCS #8"},
		"a damaged key":       {pemOf("PRIVATE KEY", []byte("x")), Signing{}, "not what its label says"},
		"another algorithm":   {files["curve"], Signing{Algorithm: RS256}, `does not serve the algorithm "RS256"`},
		"no such algorithm":   {files["curve"], Signing{Algorithm: "none"}, "does not serve"},
		"no such kid":         {files["set"], Signing{ID: "x"}, `no key of the set has the kid "x": it has "`},
		"an empty set":        {`{"keys":[]}`, Signing{}, "the key set is empty"},
		"an object":           {`{}`, Signing{}, "kty"},
		"broken JSON":         {`{"kty":`, Signing{}, "not a valid JWK"},
		"a short secret":      {`{"kty":"oct","k":"c2hvcnQ"}`, Signing{}, "too short"},
		"a kid with a line":   {files["curve"], Signing{ID: "a\nb"}, "visible ASCII"},
		"an encoding that is": {`{"kty":"oct","k":"%%"}`, Signing{}, "not base64url"},
	} {
		if key, err := ParseSigning([]byte(c.file), c.want); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, %v; want %q", name, key.ID(), err, c.says)
		}
	}
}
