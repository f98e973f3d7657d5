package main

import (
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/mcp-gatehouse/gatehouse/internal/authproxy"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

const (
	issuerURN   = "urn:bench"
	audienceURN = "urn:bench"
)

var keysFile = authproxy.KeysFile("bench")

// issuer mints tokens with one key.
type issuer struct {
	algorithm string
	key       any // what golang-jwt signs with
	id        string
	keyFile   []byte
	source    authproxy.KeySource
	publicPEM []byte // for HAProxy
}

func newIssuer(algorithm string) (*issuer, error) {
	if algorithm == "HS256" {
		secret := []byte(rand.Text() + rand.Text())
		return &issuer{algorithm: algorithm, key: secret, keyFile: secret, source: authproxy.KeySource{
			Format: authproxy.FormatSharedSecret, Files: []string{keysFile},
		}}, nil
	}
	key, err := keys.Generate(keys.Algorithm(algorithm))
	if err != nil {
		return nil, err
	}
	set, err := keys.MarshalPublic([]keys.Public{key.Public()})
	if err != nil {
		return nil, err
	}
	var signer crypto.Signer = key.Signer()
	der, err := x509.MarshalPKIXPublicKey(signer.Public())
	if err != nil {
		return nil, err
	}
	return &issuer{
		algorithm: algorithm, key: signer, id: key.ID(), keyFile: set,
		publicPEM: pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}),
	}, nil
}

// mint gives a good token; each is another.
func (i *issuer) mint(n int) (string, error) {
	now := time.Now()
	token := jwt.NewWithClaims(jwt.GetSigningMethod(i.algorithm), jwt.MapClaims{
		"iss": issuerURN, "aud": audienceURN, "sub": "somebody", "client_id": "bench", "scope": "mcp:read",
		"iat": now.Unix(), "exp": now.Add(time.Hour).Unix(), "jti": fmt.Sprint(n),
	})
	token.Header["typ"] = "at+jwt"
	if i.id != "" {
		token.Header["kid"] = i.id
	}
	return token.SignedString(i.key)
}

// tokenFile writes so many tokens, one a line.
func (b *bench) tokenFile(i *issuer, count int) (string, error) {
	var lines strings.Builder
	for n := range count {
		token, err := i.mint(n)
		if err != nil {
			return "", err
		}
		lines.WriteString(token + "\n")
	}
	name := filepath.Join(b.dir, fmt.Sprintf("%s-%d.tokens", strings.ToLower(i.algorithm), count))
	return name, os.WriteFile(name, []byte(lines.String()), 0o600)
}
