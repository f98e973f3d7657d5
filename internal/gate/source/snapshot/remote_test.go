package snapshot

import (
	"slices"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

func TestRemoteKeysAndWhoIsToldOfThem(t *testing.T) {
	m := newMounts(t)
	remote := m.provider("a")
	remote.Keys.Remote = &gateapi.RemoteKeys{JWKSURI: "https://issuer.example/jwks", MaxStaleSeconds: 3600}
	m.config.Providers = []gateapi.Provider{remote, m.provider("b")}
	m.writeConfig()
	m.writeKeys("a", []byte("not looked at"))
	key, err := keys.Generate(keys.EdDSA)
	must(t, err)
	var set RemoteSet
	var told []*Snapshot
	m.source.Remote = func(provider gateapi.Provider) RemoteSet {
		if provider.Name != "a" {
			t.Errorf("asked for the remote keys of %s", provider.Name)
		}
		return set
	}
	m.source.Changed = func(s *Snapshot) { told = append(told, s) }
	s, err := Open(m.source)
	must(t, err)
	if len(ids(s, "a")) != 0 || s.Problem() != nil || len(told) != 1 {
		t.Errorf("before the first fetch: keys %v, problem %v, told %d times", ids(s, "a"), s.Problem(), len(told))
	}
	set = RemoteSet{Keys: []keys.Public{key.Public()}, Revision: 1}
	s.Poll()
	if !slices.Equal(ids(s, "a"), []string{key.ID()}) || s.Current().LoadedAt["a"].IsZero() || len(told) != 2 || told[1] != s.Current() {
		t.Errorf("fetched: keys %v, loaded at %v, told %d times", ids(s, "a"), s.Current().LoadedAt["a"], len(told))
	}
	s.Poll()
	if len(told) != 2 {
		t.Error("told of a change where there was none")
	}
	set = RemoteSet{}
	s.Poll()
	if _, loaded := s.Current().LoadedAt["a"]; loaded || len(ids(s, "a")) != 0 || len(told) != 3 {
		t.Errorf("too old: keys %v, told %d times", ids(s, "a"), len(told))
	}
}
