package providers

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"maps"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// issuer signs as a provider does.
type issuer struct {
	keyID     string
	algorithm jose.SignatureAlgorithm
	signing   crypto.Signer
	set       []byte
}

// newIssuer makes the keys for tokens of a shape, and a set of them as providers publish it: the key that signs, another that
// will sign or did, with what providers write into a set and what gates have no use for.
func newIssuer(t *testing.T, token shape) *issuer {
	t.Helper()
	i := &issuer{keyID: token.Header["kid"].(string), algorithm: jose.SignatureAlgorithm(token.Header["alg"].(string))}
	i.signing = newKey(t, i.algorithm)
	other := newKey(t, i.algorithm)
	encryption, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{
		{Key: other.Public(), KeyID: "next", Algorithm: string(i.algorithm), Use: "sig"},
		{Key: encryption.Public(), KeyID: "encryption", Algorithm: string(jose.RSA_OAEP), Use: "enc"},
		// Entra ID and SPIRE name no algorithm, SPIRE no use; Keycloak and Entra ID add a certificate.
		{Key: i.signing.Public(), KeyID: i.keyID, Certificates: []*x509.Certificate{selfSigned(t, i.signing)}},
	}}
	i.set, err = json.Marshal(set)
	must(t, err)
	return i
}

func newKey(t *testing.T, algorithm jose.SignatureAlgorithm) crypto.Signer {
	t.Helper()
	var key crypto.Signer
	var err error
	switch algorithm {
	case jose.RS256:
		key, err = rsa.GenerateKey(rand.Reader, 2048)
	case jose.ES256:
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	default:
		t.Fatalf("no key for %s", algorithm)
	}
	must(t, err)
	return key
}

func selfSigned(t *testing.T, key crypto.Signer) *x509.Certificate {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "issuer"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	must(t, err)
	parsed, err := x509.ParseCertificate(der)
	must(t, err)
	return parsed
}

// draft is a token before it is signed.
type draft struct {
	shape
	key       any
	algorithm jose.SignatureAlgorithm
}

type tokenChange func(*draft)

// mint signs a token of a shape, issued a minute ago and with the life that the shape has.
func (i *issuer) mint(t *testing.T, token shape, changes ...tokenChange) string {
	t.Helper()
	d := &draft{shape: shape{maps.Clone(token.Header), maps.Clone(token.Claims)}, key: i.signing, algorithm: i.algorithm}
	d.shiftTo(time.Now().Add(-time.Minute))
	for _, change := range changes {
		change(d)
	}
	if d.algorithm == "" {
		return encode(t, d.Header) + "." + encode(t, d.Claims) + "."
	}
	options := &jose.SignerOptions{ExtraHeaders: map[jose.HeaderKey]any{}}
	for name, value := range d.Header {
		if name != "alg" {
			options.ExtraHeaders[jose.HeaderKey(name)] = value
		}
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: d.algorithm, Key: d.key}, options)
	must(t, err)
	payload, err := json.Marshal(d.Claims)
	must(t, err)
	signed, err := signer.Sign(payload)
	must(t, err)
	compact, err := signed.CompactSerialize()
	must(t, err)
	return compact
}

func encode(t *testing.T, members map[string]any) string {
	t.Helper()
	data, err := json.Marshal(members)
	must(t, err)
	return base64.RawURLEncoding.EncodeToString(data)
}

// shiftTo moves the times of a token, so that it is issued then.
func (d *draft) shiftTo(issued time.Time) {
	at := func(name string) int64 {
		number, _ := d.Claims[name].(json.Number)
		seconds, _ := number.Int64()
		return seconds
	}
	from := at("iat")
	for _, name := range []string{"iat", "nbf", "exp", "auth_time"} {
		if _, present := d.Claims[name]; present {
			d.Claims[name] = at(name) - from + issued.Unix()
		}
	}
}

func claim(name string, value any) tokenChange { return func(d *draft) { d.Claims[name] = value } }

func withoutClaim(name string) tokenChange { return func(d *draft) { delete(d.Claims, name) } }

// expired is a token of yesterday.
func expired(d *draft) {
	for _, name := range []string{"iat", "nbf", "exp"} {
		if seconds, present := d.Claims[name].(int64); present {
			d.Claims[name] = seconds - 3*86400
		}
	}
}

// otherIssuer is a tenant, a realm or a version whose name begins as ours does.
func otherIssuer(d *draft) {
	d.Claims["iss"] = strings.TrimSuffix(d.Claims["iss"].(string), "/") + "-other"
}

// unsigned says so.
func unsigned(d *draft) { d.algorithm, d.Header["alg"] = "", "none" }

// bySecret takes the public key for a shared secret (RFC 8725 section 2.1).
func bySecret(t *testing.T, i *issuer) tokenChange {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(i.signing.Public())
	must(t, err)
	text := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	return func(d *draft) { d.algorithm, d.key, d.Header["alg"] = jose.HS256, text, "HS256" }
}

// byAnother is signed by a key that is not the issuer's, under the name of one that is.
func byAnother(t *testing.T, i *issuer) tokenChange {
	t.Helper()
	key := newKey(t, i.algorithm)
	return func(d *draft) { d.key = key }
}
