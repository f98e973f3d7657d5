package token

import (
	"crypto/rand"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/mcp-gatehouse/gatehouse/internal/claimpath"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

const (
	// TypeAccessToken is the "typ" header of a JWT access token (RFC 9068 section 2.1).
	TypeAccessToken = "at+jwt"
	// NoType as a Template's Type leaves the header out.
	NoType = "-"
)

// Template says what a token of one issuer for one server looks like.
type Template struct {
	// Key signs, and names itself in the "kid" header. A shared secret has no name, and its tokens no "kid".
	Key keys.Private
	// Type is the "typ" header; empty is TypeAccessToken.
	Type string
	// Issuer and Audience are the "iss" and "aud" claims, both required by RFC 9068 section 2.2. Empty leaves them out.
	Issuer   string
	Audience string
	// Subject is the "sub" and the "client_id" claim; empty leaves both out.
	Subject string
	// Scope holds the scopes, separated by single spaces; empty leaves the claim out.
	Scope string
	// ID is the "jti"; empty draws one for each token.
	ID string
	// Lifetime is the time from "iat" to "exp".
	Lifetime time.Duration
	// Bare leaves out "iat", and "jti" unless there is an ID: for issuers whose tokens have nothing but Claims and "exp".
	Bare bool
	// Claims are further claims, of any value that JSON knows, named as package claimpath has it: "/a/b" is the member "b" of
	// the claim "a". They replace those above; nil leaves a claim out.
	Claims map[string]any
	// Identity names the claims that together say who the caller is, likewise; empty is "sub".
	Identity []string
}

// Good mints a token that a gate with the template's key must accept from now on until Lifetime has passed.
func (t Template) Good(now time.Time) (string, error) {
	return t.sign(t.Key, t.header(), t.claims(now))
}

// IdentityClaims are Identity, or its default.
func (t Template) IdentityClaims() []string {
	if len(t.Identity) == 0 {
		return []string{"sub"}
	}
	return t.Identity
}

// Has reports whether the tokens have a claim.
func (t Template) Has(claim string) bool {
	path, err := claimpath.Parse(claim)
	if err != nil {
		return false
	}
	value, present := path.In(t.claims(time.Time{}))
	return present && value != nil
}

// With is the template with these claims replaced.
func (t Template) With(claims map[string]any) Template {
	merged := map[string]any{}
	for _, all := range []map[string]any{t.Claims, claims} {
		for name, value := range all {
			merged[name] = value
		}
	}
	t.Claims = merged
	return t
}

// claims are those of RFC 9068 section 2.2. Every token has a "jti" of its own, so no two are equal.
func (t Template) claims(now time.Time) jwt.MapClaims {
	claims := jwt.MapClaims{"exp": now.Add(t.Lifetime).Unix()}
	for name, text := range map[string]string{
		"iss": t.Issuer, "aud": t.Audience, "sub": t.Subject, "client_id": t.Subject, "scope": t.Scope, "jti": t.ID,
	} {
		if text != "" {
			claims[name] = text
		}
	}
	if !t.Bare {
		claims["iat"] = now.Unix()
		if t.ID == "" {
			claims["jti"] = rand.Text()
		}
	}
	// Whole claims come before what is inside of them: "/" sorts before all letters.
	for _, name := range slices.Backward(slices.Sorted(maps.Keys(t.Claims))) {
		set(claims, name, t.Claims[name])
	}
	return claims
}

// set copies the claim that a path goes through, which is the caller's.
func set(claims map[string]any, name string, value any) {
	path, err := claimpath.Parse(name)
	if err != nil { // No gate knows such a name.
		path = claimpath.Path{name}
	}
	at := claims
	for _, step := range path[:len(path)-1] {
		object, isObject := at[step].(map[string]any)
		if !isObject {
			break
		}
		copied := maps.Clone(object)
		at[step], at = copied, copied
	}
	path.Set(claims, value)
}

// header names the template's key, also where another signs: the forgery claims to be the real key.
func (t Template) header() map[string]any {
	header := map[string]any{"alg": t.Key.Algorithm(), "typ": t.Type}
	switch t.Type {
	case "":
		header["typ"] = TypeAccessToken
	case NoType:
		delete(header, "typ")
	}
	if public := t.Key.Public(); !public.Anonymous {
		header["kid"] = public.ID
	}
	return header
}

func (t Template) sign(key keys.Private, header map[string]any, claims jwt.MapClaims) (string, error) {
	unsigned := jwt.Token{Header: header, Claims: claims}
	text, err := unsigned.SigningString()
	if err != nil {
		return "", fmt.Errorf("mint token: %w", err)
	}
	signature, err := key.Sign(text)
	if err != nil {
		return "", fmt.Errorf("mint token: %w", err)
	}
	return text + "." + unsigned.EncodeSegment(signature), nil
}
