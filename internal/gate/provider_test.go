package gate_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

// shared signs claims with a secret, as quilt's catalogs do.
func shared(secret, claims string) string {
	encode := base64.RawURLEncoding.EncodeToString
	text := encode([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + encode([]byte(claims))
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(text))
	return text + "." + encode(mac.Sum(nil))
}

// A provider whose tokens have neither issuer nor audience nor kid passes the gate's own test, and its users pass the gate.
func TestProviderOfSharedSecrets(t *testing.T) {
	s := prepareSite(t, serveHTTP(t, echo))
	s.config.Providers = append(s.config.Providers, gateapi.Provider{
		Name: "quilt", Algorithms: []keys.Algorithm{keys.HS256}, TokenTypes: []string{"", "JWT"},
		IdentityClaims: []string{"id", "uuid"},
		Keys:           gateapi.KeySource{Format: gateapi.FormatSharedSecret, Files: []string{"old", "new"}},
	})
	s.writeConfig()
	const secret = "a shared secret of 32 characters"
	s.write(s.dirs.keys, "old", []byte("another secret of 32 characters!"))
	s.write(s.dirs.keys, "new", []byte(secret))
	s.start()
	claims := fmt.Sprintf(`{"id":"7","uuid":"u","exp":%d}`, time.Now().Add(time.Hour).Unix())
	if got := s.post(shared(secret, claims)); got.status != http.StatusOK {
		t.Errorf("a good token: %d %s", got.status, got.body)
	}
	if got := s.post(shared("a secret that nobody knows here!", claims)); got.status != http.StatusUnauthorized || got.Error.Data.Reason != string(gateapi.ReasonBadSignature) {
		t.Errorf("another secret: %d %s", got.status, got.body)
	}
	s.write(s.dirs.keys, gateapi.RevokedFile, []byte(`sub:["7","u"]`))
	s.eventually("the token is revoked", func() bool {
		return s.post(shared(secret, claims)).Error.Data.Reason == string(gateapi.ReasonRevoked)
	})
	if state, err := s.state(podUID); err != nil || len(state.RevokedSHA256) != 64 || len(state.KeysLoaded) != 2 || len(state.Keys["quilt"]) != 2 {
		t.Errorf("state %+v, %v", state, err)
	}
	s.write(s.dirs.keys, gateapi.RevokedFile, []byte("sub:"))
	s.eventually("the bad list is told of", func() bool {
		state, err := s.state(podUID)
		return err == nil && strings.Contains(state.LastReloadError, "revoked: line 1: ")
	})
	if got := s.post(shared(secret, claims)); got.Error.Data.Reason != string(gateapi.ReasonRevoked) {
		t.Errorf("a bad list took the good one with it: %d %s", got.status, got.body)
	}
}
