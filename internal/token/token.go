package token

import (
	"crypto/rand"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

// TypeAccessToken is the "typ" header of a JWT access token (RFC 9068 section 2.1).
const TypeAccessToken = "at+jwt"

// Template says what a token of one issuer for one server looks like.
type Template struct {
	// Key signs, and names itself in the "kid" header. A shared secret has no name, and its tokens no "kid".
	Key keys.Private
	// Issuer and Audience are the "iss" and "aud" claims, both required by RFC 9068 section 2.2.
	Issuer   string
	Audience string
	// Subject is the "sub" and the "client_id" claim.
	Subject string
	// Scope holds the scopes, separated by single spaces; empty leaves the claim out.
	Scope string
	// Lifetime is the time from "iat" to "exp".
	Lifetime time.Duration
}

// Good mints a token that a gate with the template's key must accept from now on until Lifetime has passed.
func (t Template) Good(now time.Time) (string, error) {
	return t.sign(t.Key, t.claims(now))
}

// claims are those of RFC 9068 section 2.2. Every token has a "jti" of its own, so no two are equal.
func (t Template) claims(now time.Time) jwt.MapClaims {
	claims := jwt.MapClaims{
		"iss":       t.Issuer,
		"aud":       t.Audience,
		"sub":       t.Subject,
		"client_id": t.Subject,
		"iat":       now.Unix(),
		"exp":       now.Add(t.Lifetime).Unix(),
		"jti":       rand.Text(),
	}
	if t.Scope != "" {
		claims["scope"] = t.Scope
	}
	return claims
}

func (t Template) sign(key keys.Private, claims jwt.MapClaims) (string, error) {
	header := map[string]any{"alg": key.Algorithm(), "typ": TypeAccessToken}
	// The template's kid, also when another key signs: the forgery claims to be the real key.
	if public := t.Key.Public(); !public.Anonymous {
		header["kid"] = public.ID
	}
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
