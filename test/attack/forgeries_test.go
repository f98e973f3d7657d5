package attack

import (
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
)

// Tokens that nobody signed who may: the tricks that tools against JWTs know.
func TestForgeries(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.try(t, attacks(s.unsigned()))
	s.try(t, attacks(s.confused()))
	s.try(t, attacks(s.ownKeys()))
	s.try(t, attacks(s.keyIDs()))
	s.try(t, attacks(s.broken()))
	s.try(t, attacks(s.strangers()))
}

func encode(raw []byte) string { return base64.RawURLEncoding.EncodeToString(raw) }

func (s *site) unsigned() []tokenCase {
	var out []tokenCase
	for _, none := range []string{"none", "None", "NONE", "nOnE"} {
		out = append(out,
			tokenCase{"F9", "alg " + none + ", no signature", s.mint(setHead("alg", none), setSignature([]byte{})), "unsupported_algorithm"},
			tokenCase{"F9", "alg " + none + ", the signature of a good token", s.mint(setHead("alg", none)), "unsupported_algorithm"})
	}
	return append(out,
		tokenCase{"F9", "alg none for the shared secret", s.mintShared(setHead("alg", "none"), setSignature([]byte{})), "unsupported_algorithm"},
		tokenCase{"F9", "alg none without kid", s.mint(setHead("alg", "none"), noHead("kid"), setSignature([]byte{})), "unsupported_algorithm"},
		tokenCase{"F9", "no signature at all", s.mint(setSignature([]byte{})), "bad_signature"},
		tokenCase{"F9", "signature of zeros", s.mint(setSignature(make([]byte, 64))), "bad_signature"})
}

// confused tokens are signed with HMAC and a public key for a secret.
func (s *site) confused() []tokenCase {
	pkix, err := x509.MarshalPKIXPublicKey(&s.issuers.rsa.PublicKey)
	if err != nil {
		panic(err)
	}
	pkcs1 := x509.MarshalPKCS1PublicKey(&s.issuers.rsa.PublicKey)
	modulus := s.issuers.rsa.N.Bytes()
	inPEM := string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: pkix}))
	var out []tokenCase
	for name, secret := range map[string]string{
		"PEM":                     inPEM,
		"PEM without its newline": strings.TrimSuffix(inPEM, "\n"),
		"PEM of PKCS 1":           string(pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: pkcs1})),
		"DER":                     string(pkix),
		"DER of PKCS 1":           string(pkcs1),
		"modulus":                 string(modulus),
		"modulus in base64url":    encode(modulus),
		"JWK":                     `{"kty":"RSA","n":"` + encode(modulus) + `","e":"AQAB"}`,
	} {
		forger := hs256([]byte(secret))
		out = append(out,
			tokenCase{"J4", "HMAC with the public key in " + name, s.mint(setHead("alg", "HS256"), setHead("kid", s.issuers.rs.kid), forgedBy(forger)), "unsupported_algorithm"},
			tokenCase{"J4", "HMAC with the public key in " + name + ", where HMAC is known", s.mintShared(forgedBy(forger)), "bad_signature"})
	}
	for name, secret := range map[string]string{
		"blank": "", "one space": " ", "secret": "secret", "password": "password", "of an example": "your-256-bit-secret", "NUL": "\x00",
		"a beginning of ours": string(sharedSecret[:32]), "ours and a newline": string(sharedSecret) + "\n",
	} {
		out = append(out, tokenCase{"J5", "HMAC secret: " + name, s.mintShared(forgedBy(hs256([]byte(secret)))), "bad_signature"})
	}
	return out
}

// ownKeys are tokens that bring the key which they are to be checked with.
func (s *site) ownKeys() []tokenCase {
	stranger := s.issuers.stranger
	jwk := map[string]any{"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": stranger.kid, "x": encode(stranger.public.(ed25519.PublicKey))}
	var out []tokenCase
	for name, value := range map[string]any{
		"jwk": jwk, "jku": "https://evil.example/jwks.json", "x5u": "https://evil.example/cert.pem", "x5c": []string{"MIIB"},
		"x5t": "AAAA", "x5t#S256": "AAAA", "jku of loopback": "http://127.0.0.1:9090/",
	} {
		header, _, _ := strings.Cut(name, " ")
		out = append(out,
			tokenCase{"J10", name + " under its own kid", s.mint(setHead(header, value), forgedBy(stranger), setHead("kid", stranger.kid)), "unknown_key"},
			tokenCase{"J10", name + " under a known kid", s.mint(setHead(header, value), forgedBy(stranger)), "bad_signature"})
	}
	return append(out, tokenCase{"J10", "jwk beside a good signature", s.mint(setHead("jwk", jwk)), ""})
}

func (s *site) keyIDs() []tokenCase {
	var out []tokenCase
	for name, kid := range map[string]string{
		"path": "../../../../dev/null", "absolute path": "/dev/null", "our own key file": "main.jwks", "SQL": "x' UNION SELECT 'secret'-- ",
		"URL": "https://evil.example/key", "command": "|/usr/bin/id", "template": "${jndi:ldap://evil.example}", "unknown": "nobody",
		"ours in other case": "ED-1", "ours and a space": "ed-1 ", "letters beyond ASCII": "é", "256 letters": strings.Repeat("k", 256),
	} {
		out = append(out,
			tokenCase{"J9", "kid: " + name, s.mint(setHead("kid", kid)), "unknown_key"},
			tokenCase{"F9", "HMAC with nothing, kid: " + name, s.mint(setHead("kid", kid), setHead("alg", "HS256"), forgedBy(hs256(nil))), "unsupported_algorithm"})
	}
	for name, kid := range map[string]any{
		"NUL": "ed-1\x00", "newline": "ed-1\nx", "257 letters": strings.Repeat("k", 257), "empty": "", "number": 1, "null": nil,
		"list": []string{"ed-1"}, "object": map[string]any{"a": 1}, "no letter": "\u200b",
	} {
		out = append(out, tokenCase{"J9", "kid: " + name, s.mint(setHead("kid", kid)), "malformed_token"})
	}
	return append(out,
		tokenCase{"J9", "kid of another key of the issuer", s.mint(setHead("kid", s.issuers.ec.kid)), "unsupported_algorithm"},
		tokenCase{"J9", "no kid, and one key that fits", s.mint(noHead("kid")), ""},
		tokenCase{"J9", "no kid, forged", s.mint(noHead("kid"), forgedBy(s.issuers.stranger)), "bad_signature"})
}

// broken signatures are nearly right.
func (s *site) broken() []tokenCase {
	good := s.mint()
	signed, raw, _ := cutLast(good)
	order := elliptic.P256().Params().N
	zero, unit := new(big.Int), big.NewInt(1)
	der, err := asn1.Marshal(struct{ R, S *big.Int }{unit, unit})
	if err != nil {
		panic(err)
	}
	out := []tokenCase{
		{"F9", "psychic signature", s.mint(by(s.issuers.ec), setSignature(es256Signature(zero, zero))), "bad_signature"},
		{"F9", "r is 0", s.mint(by(s.issuers.ec), setSignature(es256Signature(zero, unit))), "bad_signature"},
		{"F9", "s is 0", s.mint(by(s.issuers.ec), setSignature(es256Signature(unit, zero))), "bad_signature"},
		{"F9", "r and s are the order", s.mint(by(s.issuers.ec), setSignature(es256Signature(order, order))), "bad_signature"},
		{"F9", "psychic signature in DER", s.mint(by(s.issuers.ec), setSignature(der)), "bad_signature"},
		{"F9", "half a signature", s.mint(by(s.issuers.ec), setSignature(make([]byte, 32))), "bad_signature"},
		{"F9", "signature that goes on", signed + "." + raw + "AAAA", "bad_signature"},
		{"F9", "first bit of the signature", signed + "." + flip(raw, 0), "bad_signature"},
		{"F9", "a bit in the middle of the signature", signed + "." + flip(raw, 40), "bad_signature"},
		{"F9", "signature of another token", signed + "." + segmentOf(s.mint(setClaim("sub", "bob")), 2), "bad_signature"},
		{"F9", "claims of another token", segmentOf(good, 0) + "." + segmentOf(s.mint(setClaim("sub", "admin")), 1) + "." + raw, "bad_signature"},
		{"F9", "header of another token", segmentOf(s.mint(headText(behind(" "))), 0) + "." + segmentOf(good, 1) + "." + raw, "bad_signature"},
		{"F9", "RSA signature of one", s.mint(by(s.issuers.rs), setSignature(append(make([]byte, 255), 1))), "bad_signature"},
		{"F9", "RSA signature of another length", s.mint(by(s.issuers.rs), setSignature(make([]byte, 255))), "bad_signature"},
		{"J6", "PKCS 1.5 with a key of PSS", s.mint(by(s.issuers.rs), setHead("kid", s.issuers.ps.kid)), "unsupported_algorithm"},
	}
	for name, bytes := range map[string]int{"no salt": 0, "short salt": 20, "salt that is one byte short": 31, "long salt": 33, "longest salt": 222} {
		out = append(out, tokenCase{"J6", name, s.mint(by(s.issuers.salted(bytes))), "bad_signature"})
	}
	return out
}

// strangers sign for an issuer that they are not.
func (s *site) strangers() []tokenCase {
	other := s.issuers.other
	ofOther := []tokenChange{by(other), setClaim("iss", otherIssuer), setClaim("aud", otherAudience)}
	with := func(changes ...tokenChange) string {
		return s.mint(append(append([]tokenChange{}, ofOther...), changes...)...)
	}
	return []tokenCase{
		{"J11", "the other issuer for itself", with(), ""},
		{"J11", "key of the other issuer", s.mint(by(other)), "unknown_key"},
		{"J11", "key of the other issuer under our kid", s.mint(forgedBy(other)), "bad_signature"},
		{"J11", "the other issuer with our key", with(by(s.issuers.ed)), "unknown_key"},
		{"J11", "the other issuer for our audience", with(setClaim("aud", audience)), "wrong_audience"},
		{"J11", "our issuer for the audience of the other", s.mint(setClaim("aud", otherAudience)), "wrong_audience"},
		{"J11", "key of the other issuer, issuer of none", with(noClaim("iss"), setHead("typ", "JWT")), "unsupported_algorithm"},
		{"J11", "shared secret for an issuer", s.mintShared(setClaim("iss", issuer), setHead("typ", "at+jwt")), "unsupported_algorithm"},
		{"J26", "stranger", s.mint(by(s.issuers.stranger)), "unknown_key"},
		{"J26", "stranger under a known kid", s.mint(forgedBy(s.issuers.stranger)), "bad_signature"},
	}
}

func cutLast(token string) (before, after string, found bool) {
	at := strings.LastIndexByte(token, '.')
	return token[:at], token[at+1:], at >= 0
}

func segmentOf(token string, n int) string { return strings.Split(token, ".")[n] }

// flip changes one letter of base64url, and so a bit.
func flip(text string, at int) string {
	return text[:at] + string(alphabet[strings.IndexByte(alphabet, text[at])^1]) + text[at+1:]
}
