package snapshot

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

func (m *mounts) writeKeyFile(name string, data []byte) {
	m.t.Helper()
	must(m.t, os.WriteFile(filepath.Join(m.source.KeysDir, name), data, 0o600))
}

// newPEM is a public key as openssl writes it.
func (m *mounts) newPEM() []byte {
	m.t.Helper()
	key, err := keys.Generate(keys.EdDSA)
	must(m.t, err)
	der, err := x509.MarshalPKIXPublicKey(key.Public().Key)
	must(m.t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

func TestOneBrokenFileOfAProvider(t *testing.T) {
	m := newMounts(t)
	m.config.Providers[0].Keys = gateapi.KeySource{Format: gateapi.FormatPEM, Files: []string{"old.pem", "new.pem", "next.pem"}}
	m.writeConfig()
	at := time.Unix(1000, 0)
	m.source.Now = func() time.Time { return at }
	m.writeKeyFile("old.pem", m.newPEM())
	m.writeKeyFile("new.pem", m.newPEM())
	s, err := Open(m.source)
	must(t, err)
	first := ids(s, "a")
	if len(first) != 2 || s.Problem() != nil || !s.Current().LoadedAt["a"].Equal(at) {
		t.Fatalf("keys %v, problem %v, loaded at %v", first, s.Problem(), s.Current().LoadedAt["a"])
	}
	at = at.Add(time.Minute)
	m.writeKeyFile("old.pem", []byte("-----BEGIN PUBLIC KEY-----\nx"))
	m.writeKeyFile("next.pem", m.newPEM())
	s.Poll()
	if now := ids(s, "a"); len(now) != 3 || !slices.Equal(now[:2], first) || !s.Current().LoadedAt["a"].Equal(at) {
		t.Errorf("one broken, one new: keys %v, loaded at %v", now, s.Current().LoadedAt["a"])
	}
	if s.Problem() == nil || !strings.HasPrefix(s.Problem().Error(), "old.pem: ") || !slices.Equal(m.failed, []string{"old.pem"}) {
		t.Errorf("problem %v, told of %v", s.Problem(), m.failed)
	}
	must(t, os.Remove(filepath.Join(m.source.KeysDir, "old.pem")))
	s.Poll()
	if now := ids(s, "a"); len(now) != 2 || now[0] != first[1] || s.Problem() != nil {
		t.Errorf("the broken one is gone: keys %v, problem %v", now, s.Problem())
	}
}

// The operator never takes its file away: somebody else did.
func TestKeysOfAPublishedFileThatIsGoneStay(t *testing.T) {
	m := newMounts(t)
	set, id := m.newSet(keys.EdDSA)
	m.writeKeys("a", set)
	s, err := Open(m.source)
	must(t, err)
	must(t, os.Remove(filepath.Join(m.source.KeysDir, "a.jwks")))
	for range 2 {
		s.Poll()
		if !slices.Equal(ids(s, "a"), []string{id}) || s.Problem() == nil || !strings.Contains(s.Problem().Error(), "a.jwks: the file is gone") {
			t.Errorf("gone: keys %v, problem %v", ids(s, "a"), s.Problem())
		}
	}
	next, nextID := m.newSet(keys.EdDSA)
	m.writeKeys("a", next)
	s.Poll()
	if !slices.Equal(ids(s, "a"), []string{nextID}) || s.Problem() != nil {
		t.Errorf("back, with another key: keys %v, problem %v", ids(s, "a"), s.Problem())
	}
}

// What cannot be read holds up neither the other files nor its own last good keys.
func TestOneUnreadableFile(t *testing.T) {
	m := newMounts(t)
	set, id := m.newSet(keys.EdDSA)
	m.writeKeys("a", set)
	s, err := Open(m.source)
	must(t, err)
	must(t, os.Remove(filepath.Join(m.source.KeysDir, "a.jwks")))
	must(t, os.Mkdir(filepath.Join(m.source.KeysDir, "a.jwks"), 0o755))
	setB, idB := m.newSet(keys.EdDSA)
	m.writeKeys("b", setB)
	s.Poll()
	if !slices.Equal(ids(s, "a"), []string{id}) || !slices.Equal(ids(s, "b"), []string{idB}) || s.Problem() == nil {
		t.Errorf("a has %v, b has %v, problem %v", ids(s, "a"), ids(s, "b"), s.Problem())
	}
}

func TestFormatsOfKeyFiles(t *testing.T) {
	m := newMounts(t)
	secret := []byte("a shared secret of 32 characters")
	shared := gateapi.Provider{
		Name: "c", Algorithms: []keys.Algorithm{keys.HS256}, IdentityClaims: []string{"id"},
		Keys: gateapi.KeySource{Format: gateapi.FormatSharedSecret, Files: []string{"c-1", "c-2"}},
	}
	m.config.Providers[1].Keys = gateapi.KeySource{Format: gateapi.FormatPEM, Files: []string{"b.pem"}}
	m.config.Providers = append(m.config.Providers, shared)
	m.writeConfig()
	set, _ := m.newSet(keys.EdDSA)
	m.writeKeys("a", set)
	m.writeKeyFile("b.pem", m.newPEM())
	m.writeKeyFile("c-1", secret)
	m.writeKeyFile("c-2", []byte("short"))
	s, err := Open(m.source)
	must(t, err)
	for provider, want := range map[string]keys.Algorithm{"a": keys.EdDSA, "b": keys.EdDSA, "c": keys.HS256} {
		set := s.Current().Keys[provider]
		if len(set) != 1 || set[0].Algorithm != want || set[0].Anonymous != (provider != "a") {
			t.Errorf("%s has %+v", provider, set)
		}
	}
	if s.Problem() == nil || !strings.HasPrefix(s.Problem().Error(), "c-2: ") || strings.Contains(s.Problem().Error(), "short\"") {
		t.Errorf("problem %v", s.Problem())
	}
	// Another format is another reading of the same file.
	m.config.Providers[1].Keys.Format = gateapi.FormatJWKS
	m.writeConfig()
	s.Poll()
	if got := ids(s, "b"); len(got) != 0 || !strings.Contains(s.Problem().Error(), "b.pem: ") {
		t.Errorf("PEM read as JWKS: keys %v, problem %v", got, s.Problem())
	}
}

func TestKeysLoadedForNothingAreToldOnce(t *testing.T) {
	m := newMounts(t)
	var log bytes.Buffer
	m.source.Log = slog.New(slog.NewTextHandler(&log, nil))
	set, id := m.newSet(keys.ES256)
	m.writeKeys("a", set)
	s, err := Open(m.source)
	must(t, err)
	for i := range 3 {
		setB, _ := m.newSet(keys.EdDSA)
		m.writeKeys("b", setB)
		s.Poll()
		if told := strings.Count(log.String(), "key=a/"+id); told != 1 {
			t.Errorf("after change %d it was told %d times", i, told)
		}
	}
	if _, loaded := s.Current().LoadedAt["a"]; loaded {
		t.Error("keys that cannot be used count as loaded")
	}
}

// One faulty key of a file costs no other, and is named.
func TestFaultyKeyOfAFile(t *testing.T) {
	m := newMounts(t)
	s, err := Open(m.source)
	must(t, err)
	provider := s.Current().Config.Providers[0].Name
	good, id := m.newSet(keys.EdDSA)
	m.writeKeys(provider, []byte(strings.Replace(string(good), `{"keys":[`, `{"keys":[{"kty":"EC","kid":"a","crv":"P-256","x":"AA"},`, 1)))
	s.Poll()
	set, faulty := s.Current().Keys[provider], s.Current().Faulty[provider]
	if s.Problem() != nil || len(set) != 1 || set[0].ID != id || len(faulty) != 1 || !strings.Contains(faulty[0], `key 0 ("a"): not a valid JWK`) {
		t.Errorf("problem %v, keys %v, faulty %q", s.Problem(), set, faulty)
	}
	m.writeKeys(provider, good)
	s.Poll()
	if faulty := s.Current().Faulty; len(faulty) != 0 {
		t.Errorf("mended, and named still: %q", faulty)
	}
}
