//go:build soak

package soak

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

	"github.com/mcp-gatehouse/gatehouse/internal/authproxy"
	"github.com/mcp-gatehouse/gatehouse/test/pod"
)

// mountCertificate mounts a new certificate and gives its digest as the gate tells it.
func mountCertificate(t *testing.T, gate *pod.Gate) (digest string) {
	t.Helper()
	certificate, key, digest := newCertificate(t)
	pod.Mount(t, gate.Dir, authproxy.TLSKeyFile, key)
	pod.Mount(t, gate.Dir, authproxy.TLSCertFile, certificate)
	return digest
}

// newCertificate is for localhost; both are in PEM.
func newCertificate(t *testing.T) (certificate, key []byte, digest string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	must(t, err)
	keyDER, err := x509.MarshalPKCS8PrivateKey(private)
	must(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}), digestOf(der)
}

// digestOf is as the gate's state has it.
func digestOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
