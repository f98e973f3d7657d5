package snapshot

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

func (m *mounts) writeRevoked(list string) {
	m.t.Helper()
	must(m.t, os.WriteFile(filepath.Join(m.source.KeysDir, gateapi.RevokedFile), []byte(list), 0o600))
}

func TestRevocationsAreReloaded(t *testing.T) {
	m := newMounts(t)
	s, err := Open(m.source)
	must(t, err)
	before := s.Current()
	if before.RevokedSHA256 != "" {
		t.Errorf("a digest of no list: %s", before.RevokedSHA256)
	}
	m.writeRevoked("sub:alice\n")
	s.Poll()
	first := s.Current()
	if first == before || len(first.RevokedSHA256) != 64 {
		t.Errorf("a new list: digest %q", first.RevokedSHA256)
	}
	m.writeRevoked("sub:alice\nsub:\n")
	s.Poll()
	s.Poll()
	if s.Current().RevokedSHA256 != first.RevokedSHA256 || s.Problem() == nil || !strings.Contains(s.Problem().Error(), "revoked: line 2: ") || !slices.Equal(m.failed, []string{"revoked"}) {
		t.Errorf("a bad list: digest %s, problem %v, told of %v", s.Current().RevokedSHA256, s.Problem(), m.failed)
	}
	m.writeRevoked("sub:alice\n")
	s.Poll()
	if s.Problem() != nil || s.Current().RevokedSHA256 != first.RevokedSHA256 {
		t.Errorf("the good list again: problem %v", s.Problem())
	}
	must(t, os.Remove(filepath.Join(m.source.KeysDir, gateapi.RevokedFile)))
	for range 2 {
		s.Poll()
		if s.Current().RevokedSHA256 != first.RevokedSHA256 || s.Problem() == nil || !strings.Contains(s.Problem().Error(), "revoked: the file is gone") {
			t.Errorf("the list is gone: digest %q, problem %v", s.Current().RevokedSHA256, s.Problem())
		}
	}
	m.writeRevoked("")
	s.Poll()
	if s.Current().RevokedSHA256 == first.RevokedSHA256 || s.Problem() != nil {
		t.Errorf("an empty list: digest %q, problem %v", s.Current().RevokedSHA256, s.Problem())
	}
}

// A gate that starts while the list is away does not know what was revoked.
func TestRequiredListIsMissingFromTheStart(t *testing.T) {
	m := newMounts(t)
	m.config.RequiresRevocations = true
	m.writeConfig()
	s, err := Open(m.source)
	must(t, err)
	if !s.Current().RevocationsUnknown || s.Problem() == nil {
		t.Errorf("no list: unknown %v, problem %v", s.Current().RevocationsUnknown, s.Problem())
	}
	m.writeRevoked("sub:alice\n")
	s.Poll()
	if s.Current().RevocationsUnknown || s.Problem() != nil {
		t.Errorf("a list: unknown %v, problem %v", s.Current().RevocationsUnknown, s.Problem())
	}
}

// A faulty line holds up no other, and lets nobody in again.
func TestGoodLinesOfABadListAreInForce(t *testing.T) {
	m := newMounts(t)
	m.writeRevoked("sub:alice\n")
	s, err := Open(m.source)
	must(t, err)
	for _, step := range []struct {
		list    string
		entries int
		bad     bool
	}{
		{"sub:\nsub:bob\n", 2, true},       // alice is not let in again, bob is out
		{"nonsense\nsub:carol\n", 2, true}, // alice and carol
		{"nonsense\nsub:carol\n", 2, true},
		{"sub:bob\nsub:carol\nsub:dave\n", 3, false}, // a good list stands for itself
		{"nonsense\n", 3, true},
		{"", 0, false},
	} {
		m.writeRevoked(step.list)
		s.Poll()
		if got := s.revoked.value.Len(); got != step.entries || (s.Problem() != nil) != step.bad {
			t.Errorf("%q: %d entries, want %d; problem %v", step.list, got, step.entries, s.Problem())
		}
	}
}

// A gate that starts with a bad list has no good one to fall back to.
func TestWhatCanBeReadOfTheFirstList(t *testing.T) {
	m := newMounts(t)
	m.writeRevoked("nonsense\nsub:alice\n")
	s, err := Open(m.source)
	must(t, err)
	if s.revoked.value.Len() != 1 || s.Problem() == nil || s.Current().RevokedSHA256 != "" {
		t.Errorf("%d entries, problem %v, digest %q", s.revoked.value.Len(), s.Problem(), s.Current().RevokedSHA256)
	}
}
