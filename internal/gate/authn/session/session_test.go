package session_test

import (
	"crypto/sha256"
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/authn/session"
)

const server = "uid-1"

var alice = session.Caller{Provider: "p", Subject: "alice", Client: "c"}

// secretOf makes one secret per number.
func secretOf(number int) []byte {
	sum := sha256.Sum256([]byte("secret " + strconv.Itoa(number)))
	return sum[:]
}

func ring(tb testing.TB, secrets ...int) *session.Keyring {
	tb.Helper()
	var raw [][]byte
	for _, number := range secrets {
		raw = append(raw, secretOf(number))
	}
	made, err := session.NewKeyring(raw[0], raw[1:]...)
	if err != nil {
		tb.Fatal(err)
	}
	return made
}

func seal(tb testing.TB, r *session.Keyring, id string) string {
	tb.Helper()
	sealed, err := r.Seal(server, alice, id)
	if err != nil {
		tb.Fatal(err)
	}
	return sealed
}

func TestOnlyTheCallerOpens(t *testing.T) {
	r := ring(t, 1)
	sealed := seal(t, r, "s-1.2")
	if id, ok := ring(t, 1).Open(server, alice, sealed); id != "s-1.2" || !ok {
		t.Fatalf("another replica, or the same after a restart: got %q, %v", id, ok)
	}
	if len(sealed) != len("s-1.2")+26 || !strings.HasPrefix(sealed, "g") || !strings.HasSuffix(sealed, ".s-1.2") {
		t.Errorf("form: %q", sealed)
	}
	for name, other := range map[string]session.Caller{
		"another subject":               {Provider: "p", Subject: "bob", Client: "c"},
		"the subject of another issuer": {Provider: "q", Subject: "alice", Client: "c"},
		"another client":                {Provider: "p", Subject: "alice", Client: "d"},
		"no client":                     {Provider: "p", Subject: "alice"},
		"a border moved":                {Provider: "pa", Subject: "lice", Client: "c"},
		"another border moved":          {Provider: "p", Subject: "alicec"},
		"nobody":                        {},
	} {
		if id, ok := r.Open(server, other, sealed); ok || id != "" {
			t.Errorf("%s got in: %q", name, id)
		}
	}
	if _, ok := r.Open("uid-2", alice, sealed); ok {
		t.Error("another server opens it")
	}
	if _, ok := ring(t, 2).Open(server, alice, sealed); ok {
		t.Error("another secret opens it")
	}
}

func TestWhatWasNeverSealed(t *testing.T) {
	r := ring(t, 1)
	sealed := seal(t, r, "s1")
	for _, text := range []string{
		"", "s1", "g", "g.", strings.TrimSuffix(sealed, "s1"), sealed[:len(sealed)-1], sealed + "1", sealed[1:], "x" + sealed[1:], sealed + " ", " " + sealed,
		strings.ToUpper(sealed), sealed[:3] + strings.Repeat("A", 22) + ".s1", seal(t, r, sealed) + "x",
		sealed[:25] + ":s1", strings.Repeat("g", 1<<20),
	} {
		if id, ok := r.Open(server, alice, text); ok {
			t.Errorf("%.60q opens as %q", text, id)
		}
	}
	// What was sealed twice opens as what was sealed once: the server may itself be behind a gate.
	if id, ok := r.Open(server, alice, seal(t, r, sealed)); !ok || id != sealed {
		t.Errorf("got %q", id)
	}
}

// A key keeps its name as it moves from next to current to previous: the id that a client holds does not change.
func TestTheSecretTurnsOver(t *testing.T) {
	old, next := seal(t, ring(t, 1, 2), "s"), seal(t, ring(t, 2, 1), "s")
	for name, r := range map[string]*session.Keyring{
		"a replica that knows what comes": ring(t, 1, 2), "after the turn": ring(t, 2, 1), "with three": ring(t, 3, 2, 1),
	} {
		for _, sealed := range []string{old, next} {
			if id, ok := r.Open(server, alice, sealed); !ok || id != "s" {
				t.Errorf("%s: %q does not open", name, sealed)
			}
		}
	}
	if _, ok := ring(t, 2).Open(server, alice, old); ok {
		t.Error("a secret that is gone still opens")
	}
	if seal(t, ring(t, 1), "s") != old {
		t.Error("a session sealed twice has two ids")
	}
}

// There are 64 slots: that two keys share one must not hide the second.
func TestTwoKeysInOneSlot(t *testing.T) {
	first := seal(t, ring(t, 0), "s")
	twin := 1
	for ; seal(t, ring(t, twin), "s")[1] != first[1]; twin++ {
		if twin > 10_000 {
			t.Fatal("no two secrets share a slot")
		}
	}
	if second := seal(t, ring(t, twin), "s"); second == first {
		t.Fatal("two secrets seal alike")
	}
	for _, r := range []*session.Keyring{ring(t, 0, twin), ring(t, twin, 0)} {
		if _, ok := r.Open(server, alice, first); !ok {
			t.Error("hidden behind a key of the same slot")
		}
	}
}

func TestIdsThatCannotBeSealed(t *testing.T) {
	r := ring(t, 1)
	for _, id := range []string{"", "a b", "a\t", "ä", "a\x00", "\x7f", strings.Repeat("x", 1<<10-25)} {
		if sealed, err := r.Seal(server, alice, id); !errors.Is(err, session.ErrUnsealable) {
			t.Errorf("%.20q: got %.40q, %v", id, sealed, err)
		}
	}
	longest := strings.Repeat("x", 1<<10-26)
	if id, ok := r.Open(server, alice, seal(t, r, longest)); !ok || id != longest {
		t.Error("the longest id does not open")
	}
}

func TestSecretsOfTheWrongLength(t *testing.T) {
	if _, err := session.NewKeyring([]byte("short")); err == nil {
		t.Error("a short secret was taken")
	}
	if _, err := session.NewKeyring(secretOf(1), nil); err == nil {
		t.Error("an empty secret was taken")
	}
}

// Nothing opens but what was sealed, for the one for whom it was sealed; and nothing panics.
func FuzzOpen(f *testing.F) {
	r := ring(f, 1, 2)
	sealed := seal(f, r, "s1")
	f.Add(sealed, "uid-1", "p", "alice", "c")
	f.Add(sealed, "uid-1", "p", "bob", "c")
	f.Add("g0.AAAAAAAAAAAAAAAAAAAAAA.x", "", "", "", "")
	f.Add("s1", "uid-1", "p", "alice", "c")
	f.Fuzz(func(t *testing.T, text, uid, provider, subject, client string) {
		caller := session.Caller{Provider: provider, Subject: subject, Client: client}
		if id, ok := r.Open(uid, caller, text); ok && (text != sealed || uid != server || caller != alice || id != "s1") {
			t.Errorf("%q opens for %q at %q", text, caller, uid)
		}
		made, err := r.Seal(uid, caller, text)
		if err != nil {
			return
		}
		if id, ok := ring(t, 2, 1).Open(uid, caller, made); !ok || id != text {
			t.Errorf("%q sealed as %q opens as %q", text, made, id)
		}
		if _, ok := r.Open(uid+"x", caller, made); ok {
			t.Errorf("%q opens at another server", made)
		}
	})
}

func BenchmarkOpen(b *testing.B) {
	r := ring(b, 1, 2)
	sealed := seal(b, r, "0123456789abcdef0123456789abcdef")
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := r.Open(server, alice, sealed); !ok {
			b.Fatal("it does not open")
		}
	}
}
