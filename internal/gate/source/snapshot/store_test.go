package snapshot

import (
	"encoding/json"
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

type mounts struct {
	t      *testing.T
	source Source
	failed []string
	config gateapi.Config
}

func newMounts(t *testing.T) *mounts {
	t.Helper()
	m := &mounts{t: t}
	m.source = Source{
		ConfigDir: t.TempDir(), KeysDir: t.TempDir(), Now: time.Now, Log: slog.New(slog.DiscardHandler),
		Failed: func(file string) { m.failed = append(m.failed, file) },
	}
	m.config = gateapi.Config{
		Server: gateapi.ServerID{Namespace: "ns", Name: "n", UID: "u"}, Port: 1, AdminPort: 2,
		Upstream: gateapi.Upstream{Port: 3, Path: "/mcp"}, Limits: gateapi.Limits{BodyBytes: 1, TokenBytes: 1},
		Providers: []gateapi.Provider{m.provider("a"), m.provider("b")},
	}
	m.writeConfig()
	return m
}

func (m *mounts) provider(name string) gateapi.Provider {
	return gateapi.Provider{Name: name, Issuer: "urn:" + name, Audiences: []string{"x"}, Algorithms: []keys.Algorithm{keys.EdDSA}}
}

func (m *mounts) writeConfig() {
	m.t.Helper()
	data, err := json.Marshal(m.config)
	must(m.t, err)
	must(m.t, os.WriteFile(filepath.Join(m.source.ConfigDir, gateapi.ConfigFile), data, 0o600))
}

func (m *mounts) writeKeys(provider string, data []byte) {
	m.t.Helper()
	must(m.t, os.WriteFile(filepath.Join(m.source.KeysDir, gateapi.KeysFile(provider)), data, 0o600))
}

func (m *mounts) newSet(algorithm keys.Algorithm) (data []byte, id string) {
	m.t.Helper()
	key, err := keys.Generate(algorithm)
	must(m.t, err)
	data, err = keys.MarshalPublic([]keys.Public{key.Public()})
	must(m.t, err)
	return data, key.ID()
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func ids(s *Store, provider string) []string {
	var out []string
	for _, key := range s.Current().Keys[provider] {
		out = append(out, key.ID)
	}
	return out
}

func TestOneBadFileDoesNotHoldUpTheOthers(t *testing.T) {
	m := newMounts(t)
	setA, idA := m.newSet(keys.EdDSA)
	setB, idB := m.newSet(keys.EdDSA)
	m.writeKeys("a", setA)
	m.writeKeys("b", setB)
	s, err := Open(m.source)
	must(t, err)
	newA, newIDA := m.newSet(keys.EdDSA)
	m.writeKeys("a", newA)
	m.writeKeys("b", []byte("garbage"))
	s.Poll()
	if !slices.Equal(ids(s, "a"), []string{newIDA}) || !slices.Equal(ids(s, "b"), []string{idB}) || idA == newIDA {
		t.Errorf("a has %v, b has %v", ids(s, "a"), ids(s, "b"))
	}
	if s.Problem() == nil || !strings.Contains(s.Problem().Error(), "b.jwks") {
		t.Errorf("problem: %v", s.Problem())
	}
	before := s.Current()
	for range 3 {
		s.Poll()
	}
	if !slices.Equal(m.failed, []string{"b.jwks"}) {
		t.Errorf("one bad content was told as %v", m.failed)
	}
	if s.Current() != before {
		t.Error("nothing changed, and there is a new snapshot")
	}
	m.writeKeys("b", setB)
	s.Poll()
	if s.Problem() != nil {
		t.Errorf("the good file is back: %v", s.Problem())
	}
}

func TestProvidersComeAndGo(t *testing.T) {
	m := newMounts(t)
	set, id := m.newSet(keys.EdDSA)
	m.writeKeys("a", set)
	m.writeKeys("c", set)
	s, err := Open(m.source)
	must(t, err)
	if ids(s, "c") != nil || !s.Current().HasKeys() {
		t.Error("keys of a provider that is not configured are in force")
	}
	m.config.Providers = []gateapi.Provider{m.provider("c")}
	m.writeConfig()
	s.Poll()
	if !slices.Equal(ids(s, "c"), []string{id}) || len(s.Current().Keys) != 1 {
		t.Errorf("got %v", s.Current().Keys)
	}
}

func TestKeysThatTheProviderMayNotUse(t *testing.T) {
	m := newMounts(t)
	set, _ := m.newSet(keys.ES256)
	m.writeKeys("a", set)
	s, err := Open(m.source)
	must(t, err)
	if s.Current().HasKeys() {
		t.Errorf("got %v", s.Current().Keys)
	}
}

func TestMissingAndUnreadable(t *testing.T) {
	m := newMounts(t)
	m.source.KeysDir = filepath.Join(m.source.KeysDir, "not-mounted")
	s, err := Open(m.source)
	must(t, err)
	if s.Current().HasKeys() || s.Problem() != nil {
		t.Errorf("keys %v, problem %v", s.Current().Keys, s.Problem())
	}
	set, _ := m.newSet(keys.EdDSA)
	must(t, os.Mkdir(m.source.KeysDir, 0o755))
	m.writeKeys("a", set)
	s.Poll()
	// What cannot be read is not gone.
	must(t, os.Remove(filepath.Join(m.source.KeysDir, "a.jwks")))
	must(t, os.Mkdir(filepath.Join(m.source.KeysDir, "a.jwks"), 0o755))
	s.Poll()
	if !s.Current().HasKeys() || s.Problem() == nil {
		t.Errorf("keys %v, problem %v", s.Current().Keys, s.Problem())
	}
	must(t, os.Remove(filepath.Join(m.source.KeysDir, "a.jwks")))
	must(t, os.WriteFile(filepath.Join(m.source.KeysDir, "a.jwks"), make([]byte, maxFileBytes+1), 0o600))
	s.Poll()
	if !s.Current().HasKeys() || s.Problem() == nil {
		t.Errorf("too long: keys %v, problem %v", s.Current().Keys, s.Problem())
	}
}
