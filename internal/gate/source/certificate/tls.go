package certificate

import (
	"bytes"
	"crypto/tls"
	"errors"
)

// ServerConfig is for the gate's port: TLS 1.3, or 1.2 with forward secrecy and authenticated encryption (RFC 9325
// section 4.2; RFC 9113 section 9.2.2 forbids the others to HTTP/2). Each handshake shows the certificate in force.
func (s *Store) ServerConfig() *tls.Config {
	return &tls.Config{
		GetCertificate: s.get,
		MinVersion:     tls.VersionTLS12,
		CipherSuites: []uint16{ // of TLS 1.2; those of 1.3 are all good
			tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
			tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
			tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
		},
	}
}

var errStranger = errors.New("the certificate shown is not the one in force")

// SelfConfig is for the gate's calls to itself. It accepts the certificate in force and no other, whatever names it
// bears and whoever signed it: the loopback address is seldom among them.
func (s *Store) SelfConfig() *tls.Config {
	return &tls.Config{
		MinVersion:         tls.VersionTLS12,
		InsecureSkipVerify: true, //nolint:gosec // VerifyConnection compares the whole certificate, which is more.
		VerifyConnection: func(state tls.ConnectionState) error {
			leaf := s.Leaf()
			if leaf == nil || len(state.PeerCertificates) == 0 || !bytes.Equal(state.PeerCertificates[0].Raw, leaf.Raw) {
				return errStranger
			}
			return nil
		},
	}
}
