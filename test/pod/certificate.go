package pod

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"math/big"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

// MountCertificate mounts a new certificate and gives its digest as the gate tells it.
func (g *Gate) MountCertificate(t *testing.T) (digest string) {
	t.Helper()
	certificate, key, digest := NewCertificate(t)
	Mount(t, g.Dir, gateapi.TLSKeyFile, key)
	Mount(t, g.Dir, gateapi.TLSCertFile, certificate)
	return digest
}

// NewCertificate is for localhost, and signed by nobody else; both are in PEM, and the digest is the SHA-256 in hex.
func NewCertificate(t *testing.T) (certificate, key []byte, digest string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	check(t, err)
	keyDER, err := x509.MarshalPKCS8PrivateKey(private)
	check(t, err)
	sum := sha256.Sum256(der)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}), hex.EncodeToString(sum[:])
}
