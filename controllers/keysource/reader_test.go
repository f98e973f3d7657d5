package keysource

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"
)

func TestExpiredCertificatesOfABundleAreNamed(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	var bundle []byte
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for name, until := range map[string]time.Time{"old": now.Add(-time.Hour), "new": now.Add(time.Hour)} {
		template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: now.Add(-2 * time.Hour), NotAfter: until}
		der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
		if err != nil {
			t.Fatal(err)
		}
		bundle = append(bundle, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	got := expiring(append(bundle, "no PEM"...), now)
	if len(got) != 1 || !strings.HasPrefix(got[0], "certificate CN=old expired at 2026-11-23T11:00:00Z") {
		t.Errorf("got %q", got)
	}
}
