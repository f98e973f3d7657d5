package token_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/mcp-gatehouse/gatehouse/internal/keys"
	"github.com/mcp-gatehouse/gatehouse/internal/token"
)

var testTime = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func newTemplate(t *testing.T, algorithm keys.Algorithm) token.Template {
	t.Helper()
	key, err := keys.Generate(algorithm)
	if err != nil {
		t.Fatal(err)
	}
	return token.Template{
		Key: key, Issuer: "urn:issuer", Audience: "urn:audience", Subject: "someone", Scope: "a b", Lifetime: time.Minute,
	}
}

// parse reads a token with every check that the template calls for.
func parse(raw string, template token.Template, at time.Time) (*jwt.Token, error) {
	return jwt.Parse(raw, func(*jwt.Token) (any, error) { return template.Key.Public().Key, nil },
		jwt.WithValidMethods([]string{string(template.Key.Algorithm())}),
		jwt.WithIssuer(template.Issuer), jwt.WithAudience(template.Audience), jwt.WithSubject(template.Subject),
		jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithTimeFunc(func() time.Time { return at }))
}

func TestGoodTokenIsGoodForItsLifetimeOnly(t *testing.T) {
	// One of each kind: within a kind only the hash differs.
	for _, algorithm := range []keys.Algorithm{keys.EdDSA, keys.ES512, keys.RS256, keys.PS384, keys.HS256} {
		template := newTemplate(t, algorithm)
		raw, err := template.Good(testTime)
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := parse(raw, template, testTime.Add(59*time.Second))
		if err != nil {
			t.Fatalf("%s: %v", algorithm, err)
		}
		want := map[string]any{"alg": string(algorithm), "typ": "at+jwt", "kid": template.Key.ID()}
		if algorithm.Symmetric() {
			delete(want, "kid")
		}
		if !maps.Equal(parsed.Header, want) {
			t.Errorf("%s: header %v", algorithm, parsed.Header)
		}
		claims := parsed.Claims.(jwt.MapClaims)
		if claims["client_id"] != "someone" || claims["scope"] != "a b" || claims["jti"] == "" {
			t.Errorf("%s: claims %v", algorithm, claims)
		}
		if _, err := parse(raw, template, testTime.Add(time.Minute)); err == nil {
			t.Errorf("%s: still accepted when its lifetime has passed", algorithm)
		}
	}
}

// TestBadTokenDiffersInOneThing compares each with the good token of the same instant, part by part.
func TestBadTokenDiffersInOneThing(t *testing.T) {
	// What each changes; "+" begins what the good token does not have, "-" what the bad one has not.
	wants := map[token.Defect]string{
		token.Expired: "exp iat", token.NotYetValid: "+nbf", token.MissingExpiry: "-exp", token.MissingIdentity: "-sub",
		token.WrongIssuer: "iss", token.WrongAudience: "aud", token.WrongType: "typ", token.WrongKey: "signature",
		token.UnknownKid: "kid", token.AlgNone: "alg signature",
	}
	for _, defect := range token.Defects() {
		for _, algorithm := range []keys.Algorithm{keys.ES256, keys.HS512} {
			template := newTemplate(t, algorithm)
			template.ID = "one"
			good, err := template.Good(testTime)
			if err != nil {
				t.Fatal(err)
			}
			bad, err := template.Bad(defect, testTime)
			if err != nil {
				t.Fatal(err)
			}
			want := wants[defect]
			if algorithm.Symmetric() && defect == token.UnknownKid { // a shared secret has no name to begin with
				want = "+kid"
			}
			if got := differences(t, template.Key.Public(), good, bad); got != want {
				t.Errorf("%s, %s: differs in %q, want %q", defect, algorithm, got, want)
			}
		}
	}
	if _, err := newTemplate(t, keys.EdDSA).Bad("unheard-of", testTime); err == nil {
		t.Error("an unknown defect was minted")
	}
}

// differences names the members that are not equal, sorted; "signature" if the key's is there no longer.
func differences(t *testing.T, key keys.Public, good, bad string) string {
	t.Helper()
	var found []string
	for i := range 2 {
		before, after := members(t, good, i), members(t, bad, i)
		for name, value := range before {
			if other, present := after[name]; !present {
				found = append(found, "-"+name)
			} else if !reflect.DeepEqual(value, other) {
				found = append(found, name)
			}
		}
		for name := range after {
			if _, present := before[name]; !present {
				found = append(found, "+"+name)
			}
		}
	}
	parts := strings.Split(bad, ".")
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		t.Fatal(err)
	}
	if !key.Verify(parts[0]+"."+parts[1], signature) {
		found = append(found, "signature")
	}
	slices.Sort(found)
	return strings.Join(found, " ")
}

func members(t *testing.T, raw string, part int) map[string]any {
	t.Helper()
	data, err := base64.RawURLEncoding.DecodeString(strings.Split(raw, ".")[part])
	if err != nil {
		t.Fatal(err)
	}
	var out map[string]any
	if err := json.Unmarshal(data, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestClaims: what an issuer's tokens have that others' have not, and what they have not.
func TestClaims(t *testing.T) {
	bare := token.Template{
		Key: newTemplate(t, keys.HS256).Key, Type: token.NoType, Lifetime: time.Minute, Bare: true,
		Claims: map[string]any{"id": "7", "uuid": map[string]any{"a": []any{"b"}}},
	}
	full := newTemplate(t, keys.ES256)
	full.Type, full.ID = "JWT", "one"
	for name, test := range map[string]struct {
		template token.Template
		header   string
		claims   string
	}{
		"bare":     {bare, `{"alg":"HS256"}`, `{"exp":1795435260,"id":"7","uuid":{"a":["b"]}}`},
		"bare, id": {bareWithID(bare), `{"alg":"HS256"}`, `{"exp":1795435260,"id":"7","jti":"x","uuid":{"a":["b"]}}`},
		"replaced": {
			full.With(map[string]any{"sub": "else", "scope": nil}).With(map[string]any{"client_id": nil}),
			`{"alg":"ES256","kid":"` + full.Key.ID() + `","typ":"JWT"}`,
			`{"aud":"urn:audience","exp":1795435260,"iat":1795435200,"iss":"urn:issuer","jti":"one","sub":"else"}`,
		},
	} {
		raw, err := test.template.Good(testTime)
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range []string{test.header, test.claims} {
			got, err := json.Marshal(members(t, raw, i))
			if err != nil {
				t.Fatal(err)
			}
			if i == 1 {
				got = []byte(strings.ReplaceAll(string(got), "1.79543526e+09", "1795435260"))
				got = []byte(strings.ReplaceAll(string(got), "1.7954352e+09", "1795435200"))
			}
			if string(got) != want {
				t.Errorf("%s: %s, want %s", name, got, want)
			}
		}
	}
}

func bareWithID(t token.Template) token.Template {
	t.ID = "x"
	return t
}

// TestForgeries change a token of somebody else's, each in one thing.
// A time that is wrong stays wrong for clocks that differ by an hour, and by the most leeway that a verifier may grant.
func TestTimesThatAreWrongAreFarAway(t *testing.T) {
	template := newTemplate(t, keys.ES256)
	for defect, clock := range map[token.Defect]time.Duration{token.Expired: -time.Hour, token.NotYetValid: time.Hour} {
		raw, err := template.Bad(defect, testTime)
		if err != nil {
			t.Fatal(err)
		}
		leeway := 5*time.Minute - time.Second
		claims := jwt.MapClaims{}
		if _, _, err := jwt.NewParser().ParseUnverified(raw, claims); err != nil {
			t.Fatal(err)
		}
		judged := jwt.NewValidator(jwt.WithLeeway(leeway), jwt.WithTimeFunc(func() time.Time { return testTime.Add(clock) })).Validate(claims)
		if judged == nil {
			t.Errorf("%s: accepted by a clock that is %v off", defect, clock)
		}
	}
}

func TestForgeries(t *testing.T) {
	template := newTemplate(t, keys.ES256)
	raw, err := template.Good(testTime)
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := keys.Generate(keys.ES256)
	if err != nil {
		t.Fatal(err)
	}
	other := keys.Public{ID: "other", Algorithm: keys.ES256}
	for name, test := range map[string]struct {
		forge func() (string, error)
		want  string
	}{
		"flipped":                 {func() (string, error) { return token.Flipped(raw, 1<<63+5) }, "signature"},
		"tampered":                {func() (string, error) { return token.Tampered(raw, "sub", "else") }, "signature sub"},
		"unsigned":                {func() (string, error) { return token.Unsigned(raw) }, "alg signature"},
		"forged":                  {func() (string, error) { return token.Forged(raw, stranger) }, "signature"},
		"forged for another":      {func() (string, error) { return token.ForgedFor(raw, other, stranger) }, "kid signature"},
		"forged for one unnamed":  {func() (string, error) { return token.ForgedFor(raw, keys.Public{Anonymous: true}, stranger) }, "-kid signature"},
		"confused":                {func() (string, error) { return token.Confused(raw, template.Key.Public(), []byte("public")) }, "alg signature"},
		"confused, in other name": {func() (string, error) { return token.Confused(raw, other, []byte("public")) }, "alg kid signature"},
	} {
		bad, err := test.forge()
		if err != nil {
			t.Fatal(err)
		}
		if got := differences(t, template.Key.Public(), raw, bad); got != test.want {
			t.Errorf("%s: differs in %q, want %q", name, got, test.want)
		}
	}
	if algorithm, err := token.Algorithm(raw); err != nil || algorithm != keys.ES256 {
		t.Errorf("algorithm %s, %v", algorithm, err)
	}
	for _, opaque := range []string{"", "opaque", "a.b.c", token.Malformed, "bnVsbA.e30.x", "e30.e30.", "e30.e30.e30.e30"} {
		if _, err := token.Flipped(opaque, 0); !errors.Is(err, token.ErrOpaque) {
			t.Errorf("%q: %v", opaque, err)
		}
	}
}

func TestWhatATokenSaysOfItself(t *testing.T) {
	key, err := keys.Generate(keys.EdDSA)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Unix(1_800_000_000, 0)
	raw, err := token.Template{Key: key, Issuer: "i", Lifetime: time.Minute}.Good(now)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := token.Read(raw); err != nil || got.Issuer != "i" || !got.Expires.Equal(now.Add(time.Minute)) {
		t.Errorf("got %+v, %v", got, err)
	}
	bare, err := token.Template{Key: key, Claims: map[string]any{"exp": nil}}.Good(now)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := token.Read(bare); err != nil || got != (token.Stated{}) {
		t.Errorf("without either: %+v, %v", got, err)
	}
	for _, opaque := range []string{"", token.Malformed, "a.b.c"} {
		if _, err := token.Read(opaque); !errors.Is(err, token.ErrOpaque) {
			t.Errorf("%q: %v", opaque, err)
		}
	}
}

// TestRetold changes claims and header members, leaves others out, and keeps the signature, which is worth nothing then.
func TestRetold(t *testing.T) {
	template := newTemplate(t, keys.EdDSA)
	good, err := template.Good(testTime)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := token.Retold(good, map[string]any{"sub": "another", "aud": nil}, map[string]any{"typ": "JWT"})
	if err != nil {
		t.Fatal(err)
	}
	claims := jwt.MapClaims{}
	got, parts, err := jwt.NewParser().ParseUnverified(raw, claims)
	if err != nil || claims["sub"] != "another" || claims["aud"] != nil || claims["iss"] != "urn:issuer" || got.Header["typ"] != "JWT" {
		t.Errorf("%v %v, %v", got.Header, claims, err)
	}
	if !strings.HasSuffix(good, "."+parts[2]) {
		t.Error("the signature is another")
	}
	if _, err := parse(raw, template, testTime); err == nil {
		t.Error("it is good")
	}
	if _, err := token.Retold("opaque", nil, nil); !errors.Is(err, token.ErrOpaque) {
		t.Errorf("an opaque token: %v", err)
	}
}
