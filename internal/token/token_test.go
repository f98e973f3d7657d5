package token_test

import (
	"errors"
	"maps"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/mcp-gatehouse/gatehouse/internal/keys"
	"github.com/mcp-gatehouse/gatehouse/internal/token"
)

var now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func template(t *testing.T, algorithm keys.Algorithm) token.Template {
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
		template := template(t, algorithm)
		raw, err := template.Good(now)
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := parse(raw, template, now.Add(59*time.Second))
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
		if _, err := parse(raw, template, now.Add(time.Minute)); err == nil {
			t.Errorf("%s: still accepted when its lifetime has passed", algorithm)
		}
	}
}

func TestBadTokenDiffersInOneThing(t *testing.T) {
	wants := map[token.Defect]error{token.Expired: jwt.ErrTokenExpired, token.WrongKey: jwt.ErrTokenSignatureInvalid}
	for _, defect := range token.Defects() {
		for _, algorithm := range []keys.Algorithm{keys.ES256, keys.HS512} {
			template := template(t, algorithm)
			raw, err := template.Bad(defect, now)
			if err != nil {
				t.Fatal(err)
			}
			_, err = parse(raw, template, now)
			if want := wants[defect]; want == nil || !isOnly(err, want) {
				t.Errorf("%s, %s: refused with %v, want only %v", defect, algorithm, err, want)
			}
		}
	}
	if _, err := template(t, keys.EdDSA).Bad("unheard-of", now); err == nil {
		t.Error("an unknown defect was minted")
	}
}

// isOnly is true when want is the sole cause: golang-jwt joins every claim that fails.
func isOnly(err, want error) bool {
	for _, other := range []error{
		jwt.ErrTokenExpired, jwt.ErrTokenSignatureInvalid, jwt.ErrTokenInvalidIssuer, jwt.ErrTokenInvalidAudience,
		jwt.ErrTokenUsedBeforeIssued, jwt.ErrTokenNotValidYet, jwt.ErrTokenInvalidSubject, jwt.ErrTokenMalformed,
	} {
		if errors.Is(err, other) != errors.Is(other, want) {
			return false
		}
	}
	return true
}
