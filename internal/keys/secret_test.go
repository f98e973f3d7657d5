package keys_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"strings"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

func hmacSHA256(key []byte, text string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

func TestSharedSecretIsTheWholeFile(t *testing.T) {
	binary := []byte("\x00\x01\x02\x03\x80\x81\xfe\xff")
	for name, file := range map[string][]byte{
		"text":                        secret,
		"32 bytes":                    secret[:32],
		"base64, not decoded":         []byte("q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA="),
		"hexadecimal":                 []byte("3f9a0c5d7e1b2846a0c5d7e1b28463f9"),
		"inner white space":           []byte("correct horse battery staple\nand a second line"),
		"bytes that end in a newline": append(bytes.Repeat(binary, 4), secret[0], '\n'),
		"bytes that begin with space": append([]byte(" "), append(bytes.Repeat(binary, 4), 'x')...),
		"a random block twice":        bytes.Repeat(secret[:32], 2),
		"braces":                      []byte("{not JSON, though it begins like it}"),
	} {
		set, err := keys.ParseSharedSecret(file)
		if err != nil || len(set.Keys) != 1 {
			t.Errorf("%s: got %v, %v", name, set, err)
			continue
		}
		key := set.Keys[0]
		if !key.Anonymous || key.Algorithm != "" || !bytes.Equal(key.Key.([]byte), file) {
			t.Errorf("%s: anonymous %t, algorithm %q", name, key.Anonymous, key.Algorithm)
		}
		bound, _ := key.Bind([]keys.Algorithm{keys.HS256})
		if !bound.Verify("text", hmacSHA256(file, "text")) {
			t.Errorf("%s: what the file's bytes sign does not verify", name)
		}
	}
}

func TestSharedSecretsThatMustBeRefused(t *testing.T) {
	pem := "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----"
	for name, c := range map[string]struct{ file, want string }{
		"empty":               {"", "empty"},
		"white space only":    {strings.Repeat(" \n", 32), "white space"},
		"31 bytes":            {string(secret[:31]), "31 bytes is too short"},
		"test-secret":         {"test-secret", "too short"},
		"newline at the end":  {string(secret) + "\n", "white space at an end"},
		"Windows line end":    {string(secret) + "\r\n", "white space at an end"},
		"space at the front":  {" " + string(secret), "white space at an end"},
		"one byte":            {strings.Repeat("a", 64), "repeats itself"},
		"zeros":               {strings.Repeat("\x00", 32), "repeats itself"},
		"a word repeated":     {strings.Repeat("changeme", 8), "repeats itself"},
		"16 bytes twice":      {strings.Repeat(string(secret[:16]), 2), "repeats itself"},
		"few different bytes": {"aaaaaaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbbbccccccccccccccdde", "repeats itself"},
		"PEM":                 {pem, "format PEM"},
		"a JWK Set":           {string(jwks(t, memberOf(t, generate(t, keys.ES256).Public()))), "format JWKS"},
	} {
		set, err := keys.ParseSharedSecret([]byte(c.file))
		if err == nil || !strings.Contains(err.Error(), c.want) || len(set.Keys) != 0 {
			t.Errorf("%s: got error %v, want one with %q", name, err, c.want)
		}
		if c.file != "" && err != nil && strings.Contains(err.Error(), c.file) {
			t.Errorf("%s: the error quotes the secret", name)
		}
	}
	for _, algorithm := range []keys.Algorithm{keys.HS512, keys.EdDSA, "none", ""} {
		if _, err := keys.NewShared(secret[:63], algorithm); err == nil {
			t.Errorf("a secret of 63 bytes signs by %q", algorithm)
		}
	}
	if _, err := keys.NewShared(secret[:31], keys.HS256); err == nil {
		t.Error("a secret of 31 bytes signs")
	}
}

// The ID is in status and in logs: it must not change between releases, nor tell the secret.
func TestSharedSecretID(t *testing.T) {
	set, err := keys.ParseSharedSecret(secret)
	must(t, err)
	const want = "secret-HPm2kvfb"
	if got := set.Keys[0].ID; got != want {
		t.Errorf("ID %q, want %q", got, want)
	}
	signing := generate(t, keys.HS512)
	if signing.ID() != want || !signing.Public().Anonymous {
		t.Errorf("the signing key calls itself %q", signing.ID())
	}
	file := bytes.Clone(secret)
	set, err = keys.ParseSharedSecret(file)
	must(t, err)
	file[0] = 'x'
	if !bytes.Equal(set.Keys[0].Key.([]byte), secret) {
		t.Error("the key changes with the buffer that it was read from")
	}
}
