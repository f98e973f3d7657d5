package wire

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"net"
	"slices"
	"strings"
)

var errOtherCertificate = errors.New("the certificate is not the one expected")

// TLSConfig trusts the certificates of these digests, whatever they say of themselves; or else what the roots trust.
func TLSConfig(roots *x509.CertPool, digests []string) *tls.Config {
	config := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots}
	if len(digests) == 0 {
		return config
	}
	config.InsecureSkipVerify = true // VerifyConnection compares the whole certificate
	config.VerifyConnection = func(state tls.ConnectionState) error {
		digest := sha256.Sum256(state.PeerCertificates[0].Raw)
		shown := hex.EncodeToString(digest[:])
		if slices.ContainsFunc(digests, func(named string) bool { return strings.EqualFold(named, shown) }) {
			return nil
		}
		return errOtherCertificate
	}
	return config
}

// secure dials and shakes hands. Evidence of what HTTP showed is taken from inside TLS.
func (r *recorder) secure(ctx context.Context, dial DialFunc, network, address string, config *tls.Config) (net.Conn, error) {
	plain, err := dial(ctx, network, address)
	if err != nil {
		r.note(func(e *trace) { e.dialErr = err })
		return nil, err
	}
	r.note(func(e *trace) { e.connected = true; e.dials++ })
	if config.ServerName, _, err = net.SplitHostPort(address); err != nil {
		config.ServerName = address
	}
	outer := &recordedConn{Conn: plain, recorder: r}
	inner := tls.Client(outer, config)
	if err := inner.HandshakeContext(ctx); err != nil {
		r.note(func(e *trace) { e.tlsErr = err })
		_ = plain.Close()
		return nil, err
	}
	outer.outer.Store(true)
	r.note(func(e *trace) { e.received, e.first = 0, nil })
	return &recordedConn{Conn: inner, recorder: r}, nil
}
