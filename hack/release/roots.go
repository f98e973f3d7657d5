package main

import (
	"bytes"
	"encoding/pem"

	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// rootCertificates returns the roots that the gate trusts when it fetches an issuer's keys, as PEM. They come from a Go
// module, not from the machine that builds, so that a release is the same wherever it is built. Mozilla trusts some roots for
// certificates of before a date only; a PEM file cannot say so, and they are left out.
func rootCertificates() []byte {
	var out bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint == nil {
			out.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}))
		}
	}
	return out.Bytes()
}
