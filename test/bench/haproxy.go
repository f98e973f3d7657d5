package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// haproxyConfig checks what the gate checks of a token, as far as HAProxy can: algorithm, signature, issuer, audience
// and expiry.
const haproxyConfig = `
global
    maxconn 4096
    nbthread 2
defaults
    mode http
    http-reuse always
    timeout connect 2s
    timeout client 30s
    timeout server 30s
frontend gate
    bind ADDRESS
    http-request set-var(txn.bearer) http_auth_bearer
    http-request set-var(txn.alg) var(txn.bearer),jwt_header_query('$.alg')
    http-request set-var(txn.iss) var(txn.bearer),jwt_payload_query('$.iss')
    http-request set-var(txn.aud) var(txn.bearer),jwt_payload_query('$.aud')
    http-request set-var(txn.exp) var(txn.bearer),jwt_payload_query('$.exp','int')
    http-request set-var(txn.now) date()
    http-request deny deny_status 401 hdr WWW-Authenticate 'Bearer error="invalid_token"' unless { var(txn.bearer) -m found }
    http-request deny deny_status 401 unless { var(txn.alg) -m str ALGORITHM }
    http-request deny deny_status 401 unless { var(txn.iss) -m str ISSUER }
    http-request deny deny_status 401 unless { var(txn.aud) -m str AUDIENCE }
    http-request deny deny_status 401 if { var(txn.exp),sub(txn.now) -m int lt 0 }
    http-request deny deny_status 401 unless { var(txn.bearer),jwt_verify(txn.alg,"KEYFILE") 1 }
    default_backend server
backend server
    server s1 SERVER
`

func (b *bench) startHAProxy(ctx context.Context, issuer *tokenIssuer) (*target, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	name := "haproxy-" + strings.ToLower(string(issuer.Key.Algorithm()))
	keyFile, config := filepath.Join(b.dir, name+".pem"), filepath.Join(b.dir, name+".cfg")
	text := strings.NewReplacer(
		"ADDRESS", address, "ALGORITHM", string(issuer.Key.Algorithm()), "ISSUER", issuerURN, "AUDIENCE", audienceURN,
		"KEYFILE", keyFile, "SERVER", b.server.address,
	).Replace(haproxyConfig)
	if err := os.WriteFile(keyFile, issuer.publicPEM, 0o644); err != nil {
		return nil, err
	}
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		return nil, err
	}
	p, err := b.start(ctx, name, nil, b.plan.haproxy, "-db", "-f", config)
	if err != nil {
		return nil, err
	}
	if err := within(name+" listens", listens(address)); err != nil {
		return nil, p.failed(err)
	}
	return &target{process: p, address: address}, nil
}

// haproxyVersion is the first line that it says of itself.
func (b *bench) haproxyVersion(ctx context.Context) string {
	out, err := commandOutput(ctx, b.plan.haproxy, "-v")
	if err != nil {
		return err.Error()
	}
	line, _, _ := strings.Cut(out, " - ")
	return fmt.Sprint(line)
}
