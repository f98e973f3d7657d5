package remote

import (
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

// Group holds a Fetcher for each provider whose keys are remote. All methods may be called at any time.
type Group struct {
	options Options
	changed chan struct{} // has room for one
	counter atomic.Uint64

	mu       sync.Mutex
	fetchers map[string]*Fetcher // by provider
}

// NewGroup makes an empty Group.
func NewGroup(options Options) *Group {
	return &Group{options: options, changed: make(chan struct{}, 1), fetchers: map[string]*Fetcher{}}
}

// Follow takes over a configuration. A provider whose keys still come from the same place keeps those it has.
func (g *Group) Follow(providers []gateapi.Provider) {
	g.mu.Lock()
	defer g.mu.Unlock()
	next := map[string]*Fetcher{}
	for _, provider := range providers {
		if provider.Keys.Remote == nil {
			continue
		}
		if old := g.fetchers[provider.Name]; old != nil && old.follow(provider) {
			next[provider.Name] = old
		} else {
			next[provider.Name] = newFetcher(provider, g.options, &g.counter)
		}
	}
	g.fetchers = next
	select {
	case g.changed <- struct{}{}:
	default: // Run will look anyway.
	}
}

// Run fetches for all providers, also for those that come, until ctx is done; then nothing of it is left.
func (g *Group) Run(ctx context.Context) {
	running := map[*Fetcher]context.CancelFunc{}
	var all sync.WaitGroup
	defer all.Wait()
	for {
		wanted := g.all()
		for fetcher, stop := range running {
			if !slices.Contains(wanted, fetcher) {
				stop()
				delete(running, fetcher)
			}
		}
		for _, fetcher := range wanted {
			if running[fetcher] == nil {
				own, stop := context.WithCancel(ctx)
				running[fetcher] = stop
				all.Go(func() { fetcher.Run(own) })
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-g.changed:
		}
	}
}

func (g *Group) all() []*Fetcher {
	g.mu.Lock()
	defer g.mu.Unlock()
	var out []*Fetcher
	for _, fetcher := range g.fetchers {
		out = append(out, fetcher)
	}
	return out
}

func (g *Group) of(provider string) *Fetcher {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.fetchers[provider]
}

// Keys are those in force of a provider, as it is configured now; see Fetcher.Keys. If Follow has not been told yet that
// they come from another place, there are none.
func (g *Group) Keys(provider gateapi.Provider) (set []keys.Public, revision uint64) {
	fetcher := g.of(provider.Name)
	if fetcher == nil || !fetcher.asks(provider) {
		return nil, 0
	}
	return fetcher.Keys()
}

// Want is Fetcher.Want; false for a provider whose keys are not remote.
func (g *Group) Want(ctx context.Context, provider, keyID string) bool {
	fetcher := g.of(provider)
	return fetcher != nil && fetcher.Want(ctx, keyID)
}

// Status is that of each provider, by name.
func (g *Group) Status() []Status {
	out := []Status{}
	for _, fetcher := range g.all() {
		out = append(out, fetcher.Status())
	}
	slices.SortFunc(out, func(a, b Status) int { return strings.Compare(a.Provider, b.Provider) })
	return out
}

// place is where keys come from, and how safe the way is.
type place struct {
	issuer, uri string
	plain       bool
}

func placeOf(provider gateapi.Provider) place {
	remote := provider.Keys.Remote
	if remote.Discovery {
		return place{issuer: provider.Issuer, plain: remote.AllowHTTP}
	}
	return place{uri: remote.JWKSURI, plain: remote.AllowHTTP}
}
