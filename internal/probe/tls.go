package probe

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"net"
	"strings"
)

var errOtherCertificate = errors.New("the certificate is not the one expected")

// tls trusts the one certificate that is named, whatever it says of itself; or else what the roots trust.
func (t Target) tls() *tls.Config {
	config := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: t.RootCAs}
	if t.CertificateSHA256 == "" {
		return config
	}
	config.InsecureSkipVerify = true // VerifyConnection compares the whole certificate
	config.VerifyConnection = func(state tls.ConnectionState) error {
		digest := sha256.Sum256(state.PeerCertificates[0].Raw)
		if !strings.EqualFold(hex.EncodeToString(digest[:]), t.CertificateSHA256) {
			return errOtherCertificate
		}
		return nil
	}
	return config
}

// secure dials and shakes hands. Evidence of what HTTP showed is taken from inside TLS.
func (r *recorder) secure(ctx context.Context, dial DialFunc, network, address string, config *tls.Config) (net.Conn, error) {
	plain, err := dial(ctx, network, address)
	if err != nil {
		r.note(func(e *evidence) { e.dialErr = err })
		return nil, err
	}
	r.note(func(e *evidence) { e.connected = true; e.dials++ })
	if config.ServerName, _, err = net.SplitHostPort(address); err != nil {
		config.ServerName = address
	}
	outer := &recordedConn{Conn: plain, recorder: r}
	inner := tls.Client(outer, config)
	if err := inner.HandshakeContext(ctx); err != nil {
		r.note(func(e *evidence) { e.tlsErr = err })
		_ = plain.Close()
		return nil, err
	}
	outer.outer.Store(true)
	r.note(func(e *evidence) { e.received, e.first = 0, nil })
	return &recordedConn{Conn: inner, recorder: r}, nil
}
