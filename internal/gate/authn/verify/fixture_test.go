package verify_test

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/authn/revocation"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/authn/verify"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/deny"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

var now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

const podUID = "6d9f5c0e-0000-4000-8000-000000000001"

const leeway = 30 * time.Second

type fields = map[string]any

// fixture is a verifier with three providers: "one" with an EdDSA and an ES256 key, "two" with an RS256 key, and "empty"
// without keys. addQuilt adds a fourth.
type fixture struct {
	t                   testing.TB
	ed, ec, rsa, unused keys.Private
	secret              []byte
	config              gateapi.Config
	loaded              map[string][]keys.Public
	revoked             string
}

// benchKeys are made once: RSA takes long.
var benchKeys = sync.OnceValue(func() (made [4]keys.Private) {
	for i, algorithm := range []keys.Algorithm{keys.EdDSA, keys.EdDSA, keys.ES256, keys.RS256} {
		key, err := keys.Generate(algorithm)
		if err != nil {
			panic(err)
		}
		made[i] = key
	}
	return made
})

func newFixture(tb testing.TB) *fixture {
	tb.Helper()
	made := benchKeys()
	b := &fixture{
		t: tb, secret: []byte("a shared secret of 32 characters"), ed: made[0], unused: made[1], ec: made[2], rsa: made[3],
	}
	server := []string{"urn:server"}
	b.config = gateapi.Config{
		Providers: []gateapi.Provider{
			{Name: "one", Issuer: "urn:one", Audiences: []string{"urn:server", "urn:alias"},
				Algorithms: []keys.Algorithm{keys.EdDSA, keys.ES256}, ClockSkewSeconds: int32(leeway.Seconds())},
			{Name: "two", Issuer: "urn:two", Audiences: server,
				Algorithms: []keys.Algorithm{keys.RS256}, ClockSkewSeconds: 0, MaxTokenLifetimeSeconds: 600},
			{Name: "empty", Issuer: "urn:empty", Audiences: server, Algorithms: []keys.Algorithm{keys.EdDSA}},
		},
		Limits: gateapi.Limits{TokenBytes: 8 << 10},
	}
	b.loaded = map[string][]keys.Public{
		"one": {b.ed.Public(), b.ec.Public()}, "two": {b.rsa.Public()},
	}
	return b
}

// addQuilt adds the provider "quilt", whose tokens name neither issuer nor audience nor subject, and are signed with a
// shared secret.
func (b *fixture) addQuilt() {
	b.t.Helper()
	shared, err := keys.ParseSharedSecret(b.secret)
	must(b.t, err)
	b.loaded["quilt"] = shared.Keys
	b.config.Providers = append(b.config.Providers, gateapi.Provider{
		Name: "quilt", Algorithms: []keys.Algorithm{keys.HS256}, TokenTypes: []string{"", "JWT"},
		IdentityClaims: []string{"id", "uuid"}, Keys: gateapi.KeySource{Format: gateapi.FormatSharedSecret},
	})
}

// provider is one of the configured ones, to be changed.
func (b *fixture) provider(name string) *gateapi.Provider {
	for i := range b.config.Providers {
		if b.config.Providers[i].Name == name {
			return &b.config.Providers[i]
		}
	}
	b.t.Fatalf("no provider %q", name)
	return nil
}

func (b *fixture) verifier(clock func() time.Time) *verify.Verifier {
	b.t.Helper()
	revoked, err := revocation.Parse([]byte(b.revoked))
	must(b.t, err)
	return verify.New(b.config, podUID, b.loaded, revoked, clock)
}

func (b *fixture) verify(raw string) (verify.Principal, *deny.Denial) {
	b.t.Helper()
	return b.verifier(func() time.Time { return now }).Verify(raw)
}

// refused wants a token to be refused for this reason; empty wants it accepted.
func (b *fixture) refused(name, raw string, want gateapi.Reason) {
	b.t.Helper()
	principal, denial := b.verify(raw)
	var got gateapi.Reason
	if denial != nil {
		got = denial.Reason
	}
	if got != want || principal.Valid() != (want == "") {
		b.t.Errorf("%s: got %q and %+v, want %q", name, got, principal, want)
	}
}

// header and claims are those of a good token by b.ed.
func (b *fixture) header() fields {
	return fields{"alg": "EdDSA", "typ": "at+jwt", "kid": b.ed.ID()}
}

func (b *fixture) claims() fields {
	return fields{
		"iss": "urn:one", "aud": "urn:server", "sub": "alice", "client_id": "agent", "scope": "read write",
		"iat": now.Unix(), "exp": now.Add(time.Minute).Unix(), "jti": "1",
	}
}

// quilt is a token of the provider without an issuer, as quilt's catalogs mint them.
func (b *fixture) quilt(claims fields) string {
	return b.shared(fields{"alg": "HS256", "typ": "JWT"}, claims)
}

func (b *fixture) quiltClaims() fields {
	return fields{"id": "7", "uuid": "u-1", "exp": now.Add(time.Minute).Unix()}
}

func (b *fixture) shared(header, claims fields) string {
	b.t.Helper()
	return hs256(asJSON(b.t, header), asJSON(b.t, claims), b.secret)
}

// hs256 is RFC 7515 appendix A.1, without the library that the gate verifies with.
func hs256(header, claims string, secret []byte) string {
	text := encode([]byte(header)) + "." + encode([]byte(claims))
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(text))
	return text + "." + encode(mac.Sum(nil))
}

// with gives a copy with members changed; nil removes one.
func with(members fields, name string, value any) fields {
	changed := maps.Clone(members)
	changed[name] = value
	if value == nil {
		delete(changed, name)
	}
	return changed
}

func encode(data []byte) string { return base64.RawURLEncoding.EncodeToString(data) }

// signRaw signs any two texts.
func (b *fixture) signRaw(key keys.Private, header, claims string) string {
	b.t.Helper()
	text := encode([]byte(header)) + "." + encode([]byte(claims))
	signature, err := key.Sign(text)
	must(b.t, err)
	return text + "." + encode(signature)
}

func (b *fixture) sign(key keys.Private, header, claims fields) string {
	b.t.Helper()
	return b.signRaw(key, asJSON(b.t, header), asJSON(b.t, claims))
}

func asJSON(tb testing.TB, value any) string {
	tb.Helper()
	data, err := json.Marshal(value)
	must(tb, err)
	return string(data)
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

// repeated puts one more member behind the others, as it is.
func repeated(text, member string) string { return strings.TrimSuffix(text, "}") + "," + member + "}" }

// confused signs with HMAC, taking what everybody knows for the secret.
func (b *fixture) confused(claims fields) string {
	public, err := x509.MarshalPKIXPublicKey(b.ed.Public().Key)
	must(b.t, err)
	return hs256(asJSON(b.t, with(b.header(), "alg", "HS256")), asJSON(b.t, claims), public)
}

// psychic has r = s = 0 (CVE-2022-21449).
func (b *fixture) psychic(claims fields) string {
	header := fields{"alg": "ES256", "typ": "at+jwt", "kid": b.ec.ID()}
	return encode([]byte(asJSON(b.t, header))) + "." + encode([]byte(asJSON(b.t, claims))) + "." + encode(make([]byte, 64))
}

func flipped(tb testing.TB, raw string) string {
	tb.Helper()
	cut := strings.LastIndex(raw, ".") + 1
	signature, err := base64.RawURLEncoding.DecodeString(raw[cut:])
	must(tb, err)
	signature[ed25519.SignatureSize/2] ^= 1
	return raw[:cut] + encode(signature)
}

// respelled changes the last character in the bits that decode to nothing.
func respelled(raw string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := len(raw) - 1
	return raw[:last] + string(alphabet[strings.IndexByte(alphabet, raw[last])|1])
}

// good is the token that bad ones are made of.
func (b *fixture) good() string {
	b.t.Helper()
	return b.sign(b.ed, b.header(), b.claims())
}

// wide is a text in UTF-16, which some JSON parsers read without being asked to.
func wide(text string) string {
	var out []byte
	for _, unit := range utf16.Encode([]rune(text)) {
		out = append(out, byte(unit>>8), byte(unit))
	}
	return string(out)
}
