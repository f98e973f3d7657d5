package remote_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/source/remote"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

func TestGroupFollowsTheConfiguration(t *testing.T) {
	b := newBench(t)
	ca := newAuthority(t)
	b.trust(ca)
	first, firstIDs := newKeySet(t, keys.EdDSA, keys.ES256)
	second, secondIDs := newKeySet(t, keys.ES256)
	issuer := &versioned{body: first, header: http.Header{"Etag": {`"1"`}}}
	one := b.provider(serveTLS(t, ca, issuer))
	moved := b.provider(serveTLS(t, ca, always(200, second)))
	file := gateapi.Provider{Name: "file", Algorithms: one.Algorithms}
	g := remote.NewGroup(b.options)
	if _, revision := g.Keys(one); revision != 0 || g.Want(t.Context(), "idp", "x") || len(g.Status()) != 0 {
		t.Error("an empty group has keys")
	}
	g.Follow([]gateapi.Provider{file})
	run(t, g.Run)

	g.Follow([]gateapi.Provider{file, one})
	b.result()
	loaded := b.inForce(g, one, firstIDs)
	if len(g.Status()) != 1 || g.Want(t.Context(), "file", "x") {
		t.Errorf("got %+v", g.Status())
	}
	// Other rules for the same place: the keys stay, and are fetched whole to be judged anew.
	strict := one
	strict.Algorithms = []keys.Algorithm{keys.ES256}
	issuer.mu.Lock() // It does not answer meanwhile.
	g.Follow([]gateapi.Provider{strict})
	if revision := b.inForce(g, strict, firstIDs); revision != loaded {
		t.Error("the keys were thrown away")
	}
	issuer.mu.Unlock()
	b.result()
	narrowed := b.inForce(g, strict, firstIDs[1:])
	g.Follow([]gateapi.Provider{strict})
	// Another place: its keys are other keys, also before the group is told.
	b.inForce(g, moved, nil)
	g.Follow([]gateapi.Provider{moved})
	b.result()
	if revision := b.inForce(g, moved, secondIDs); revision == loaded || revision == narrowed {
		t.Error("keys of another place have a revision that was there")
	}
	b.inForce(g, strict, nil)
	b.inForce(g, file, nil)
	unsafe := moved
	unsafe.Keys.Remote = &gateapi.RemoteKeys{JWKSURI: moved.Keys.Remote.JWKSURI, AllowHTTP: true}
	b.inForce(g, unsafe, nil)
	g.Follow(nil)
	b.inForce(g, moved, nil)
	if len(g.Status()) != 0 {
		t.Errorf("got %+v", g.Status())
	}
}

// inForce wants a provider to have keys of these ids, as soon as what was fetched is settled.
func (b *bench) inForce(g *remote.Group, provider gateapi.Provider, want []string) (revision uint64) {
	b.t.Helper()
	var got []string
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		var set []keys.Public
		set, revision = g.Keys(provider)
		got = nil
		for _, key := range set {
			got = append(got, key.ID)
		}
		if slices.Equal(got, want) {
			return revision
		}
	}
	b.t.Fatalf("got %v, want %v", got, want)
	return 0
}

func TestStatusIsSorted(t *testing.T) {
	b := newBench(t)
	g := remote.NewGroup(b.options)
	var providers []gateapi.Provider
	for _, name := range []string{"c", "a", "b"} {
		provider := b.provider("https://" + name + ".example/keys")
		provider.Name = name
		providers = append(providers, provider)
	}
	g.Follow(providers)
	var names []string
	for _, status := range g.Status() {
		names = append(names, status.Provider)
	}
	if !slices.Equal(names, []string{"a", "b", "c"}) {
		t.Errorf("got %v", names)
	}
}
