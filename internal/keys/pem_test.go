package keys_test

import (
	"bytes"
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

func block(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

func publicBlock(tb testing.TB, public any) []byte {
	tb.Helper()
	der, err := x509.MarshalPKIXPublicKey(public)
	must(tb, err)
	return block("PUBLIC KEY", der)
}

// certificate is for subject's key, issued by the parent; nil is itself.
func certificate(tb testing.TB, subject crypto.Signer, change func(*x509.Certificate), parent *x509.Certificate, issuer crypto.Signer) (*x509.Certificate, []byte) {
	tb.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "issuer of tokens"},
		NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1, 0), // long ago: dates are not judged
	}
	if change != nil {
		change(template)
	}
	if parent == nil {
		parent, issuer = template, subject
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, subject.Public(), issuer)
	must(tb, err)
	parsed, err := x509.ParseCertificate(der)
	must(tb, err)
	return parsed, block("CERTIFICATE", der)
}

func newSigner(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	return key
}

func TestPEM(t *testing.T) {
	ec, other := newSigner(t), newSigner(t)
	rs := rsaPublic(t)
	_, selfSigned := certificate(t, ec, nil, nil, nil)
	_, again := certificate(t, other, nil, nil, nil) // the same subject: rotated
	root, rootPEM := certificate(t, other, func(c *x509.Certificate) {
		c.IsCA, c.BasicConstraintsValid, c.Subject.CommonName = true, true, "root"
	}, nil, nil)
	_, leaf := certificate(t, ec, func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageDigitalSignature }, root, other)
	_, encrypting := certificate(t, other, func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyEncipherment }, nil, nil)
	pkcs1 := block("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(rs))
	comment := []byte("Public-Key: (256 bit)\n")
	for name, c := range map[string]struct {
		file    [][]byte
		want    []crypto.PublicKey
		ignored string
	}{
		"PKIX":                      {[][]byte{publicBlock(t, &ec.PublicKey)}, []crypto.PublicKey{&ec.PublicKey}, ""},
		"PKIX, RSA":                 {[][]byte{publicBlock(t, rs)}, []crypto.PublicKey{rs}, ""},
		"PKCS #1":                   {[][]byte{pkcs1}, []crypto.PublicKey{rs}, ""},
		"several, and text":         {[][]byte{comment, publicBlock(t, &ec.PublicKey), comment, pkcs1, comment}, []crypto.PublicKey{&ec.PublicKey, rs}, ""},
		"certificate":               {[][]byte{selfSigned}, []crypto.PublicKey{&ec.PublicKey}, ""},
		"certificates, one subject": {[][]byte{selfSigned, again}, []crypto.PublicKey{&ec.PublicKey, &other.PublicKey}, ""},
		"chain":                     {[][]byte{leaf, rootPEM}, []crypto.PublicKey{&ec.PublicKey}, "issued another"},
		"root alone":                {[][]byte{rootPEM}, []crypto.PublicKey{&other.PublicKey}, ""},
		"encrypting":                {[][]byte{selfSigned, encrypting}, []crypto.PublicKey{&ec.PublicKey}, "digitalSignature"},
		"one key twice":             {[][]byte{selfSigned, publicBlock(t, &ec.PublicKey)}, []crypto.PublicKey{&ec.PublicKey}, "there already"},
		"parameters":                {[][]byte{block("EC PARAMETERS", []byte{1}), selfSigned}, []crypto.PublicKey{&ec.PublicKey}, "neither"},
	} {
		t.Run(name, func(t *testing.T) {
			set, err := keys.ParsePEM(bytes.Join(c.file, nil))
			must(t, err)
			if len(set.Keys) != len(c.want) {
				t.Fatalf("%d keys, want %d; ignored: %q", len(set.Keys), len(c.want), set.Ignored)
			}
			for i, key := range set.Keys {
				id, err := keys.Thumbprint(c.want[i])
				must(t, err)
				_, isRSA := key.Key.(*rsa.PublicKey)
				if key.ID != id || !key.Anonymous || (key.Algorithm == "") != isRSA {
					t.Errorf("key %d: %s, anonymous %t, algorithm %q; want %s", i, key.ID, key.Anonymous, key.Algorithm, id)
				}
			}
			if told := strings.Join(set.Ignored, "\n"); (told == "") != (c.ignored == "") || !strings.Contains(told, c.ignored) {
				t.Errorf("ignored: %q, want one with %q", told, c.ignored)
			}
		})
	}
}

func TestPEMThatMustBeRefused(t *testing.T) {
	ec := newSigner(t)
	good := publicBlock(t, &ec.PublicKey)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(ec)
	must(t, err)
	sec1, err := x509.MarshalECPrivateKey(ec)
	must(t, err)
	x25519, err := ecdh.X25519().GenerateKey(rand.Reader)
	must(t, err)
	p224, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	must(t, err)
	weak := func(n *big.Int, e int) []byte {
		return block("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(&rsa.PublicKey{N: n, E: e}))
	}
	cut := good[:len(good)/2]
	for name, c := range map[string]struct {
		file []byte
		want string
	}{
		"empty":                 {nil, "not PEM"},
		"a JWK Set":             {jwks(t, memberOf(t, generate(t, keys.ES256).Public())), "not PEM"},
		"PKCS #8":               {block("PRIVATE KEY", pkcs8), "block 0 (\"PRIVATE KEY\"): it is a private key"},
		"SEC 1":                 {block("EC PRIVATE KEY", sec1), "private key"},
		"encrypted":             {block("ENCRYPTED PRIVATE KEY", []byte{1}), "private key"},
		"cut off":               {cut, "1 of 1 PEM blocks"},
		"wrong label":           {block("CERTIFICATE", good), "not what its label says"},
		"private, public label": {block("PUBLIC KEY", pkcs8), "not what its label says"},
		"X25519":                {publicBlock(t, x25519.PublicKey()), "key type is not supported"},
		"P-224":                 {publicBlock(t, &p224.PublicKey), "P-224"},
		"short RSA":             {weak(oddNumber(2047), 65537), "too short"},
		"long RSA":              {weak(oddNumber(16385), 65537), "too long"},
		"even exponent":         {weak(oddNumber(2048), 4), "exponent"},
		"ROCA":                  {weak(likeROCA(), 65537), "CVE-2017-15361"},
		"small order":           {publicBlock(t, ed25519.PublicKey(make([]byte, 32))), "anyone can sign"},
		"nothing for us":        {block("X509 CRL", []byte{1}), "no key is left"},
		"101 blocks":            {bytes.Repeat(good, 101), "101 blocks"},
	} {
		set, err := keys.ParsePEM(c.file)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %d keys and error %v, want one with %q", name, len(set.Keys), err, c.want)
		}
	}
}
