package main

import (
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
	"github.com/mcp-gatehouse/gatehouse/internal/token"
)

const (
	issuerURN   = "urn:bench"
	audienceURN = "urn:bench"
)

var keysFile = gateapi.KeysFile("bench")

// tokenIssuer mints tokens with one key.
type tokenIssuer struct {
	token.Template

	keyFile   []byte
	source    gateapi.KeySource
	publicPEM []byte // for HAProxy
}

func newIssuer(algorithm keys.Algorithm) (*tokenIssuer, error) {
	key, err := keys.Generate(algorithm)
	if err != nil {
		return nil, err
	}
	i := &tokenIssuer{}
	if algorithm.Symmetric() {
		secret := []byte(rand.Text() + rand.Text())
		if key, err = keys.NewShared(secret, algorithm); err != nil {
			return nil, err
		}
		i.keyFile, i.source = secret, gateapi.KeySource{Format: gateapi.FormatSharedSecret, Files: []string{keysFile}}
	} else {
		if i.keyFile, err = keys.MarshalPublic([]keys.Public{key.Public()}); err != nil {
			return nil, err
		}
		der, err := x509.MarshalPKIXPublicKey(key.Public().Key)
		if err != nil {
			return nil, err
		}
		i.publicPEM = pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	}
	i.Template = token.Template{
		Key: key, Issuer: issuerURN, Audience: audienceURN, Subject: "somebody", Scope: "mcp:read", Lifetime: time.Hour,
	}
	return i, nil
}

// tokenFile writes so many tokens, one a line.
func (b *bench) tokenFile(i *tokenIssuer, count int) (string, error) {
	var lines strings.Builder
	for range count {
		raw, err := i.Good(time.Now())
		if err != nil {
			return "", err
		}
		lines.WriteString(raw + "\n")
	}
	name := filepath.Join(b.dir, fmt.Sprintf("%s-%d.tokens", i.Key.Algorithm(), count))
	return name, os.WriteFile(name, []byte(lines.String()), 0o600)
}
