package remote

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

// Fetcher keeps the set of one provider. All methods may be called at any time.
type Fetcher struct {
	options  Options
	download func(context.Context, gateapi.Provider, validators) (fetched, error)
	wake     chan struct{} // has room for one: fetch now
	counter  *atomic.Uint64

	mu         sync.Mutex
	provider   gateapi.Provider
	set        []keys.Public // never changed, only replaced
	revision   uint64        // of set
	faulty     []string      // which keys beside those of set are at fault
	validators validators    // of set
	lastGood   time.Time
	lastError  string
	failures   int  // in a row
	telling    bool // set has changed, and Changed has not returned
	wants      wants
}

// New makes a Fetcher for a provider whose keys are remote. It has no keys until Run has fetched some.
func New(provider gateapi.Provider, options Options) *Fetcher {
	return newFetcher(provider, options, new(atomic.Uint64))
}

// newFetcher takes the counter of revisions, so that those of several Fetchers can be told apart.
func newFetcher(provider gateapi.Provider, options Options, counter *atomic.Uint64) *Fetcher {
	o := options.withDefaults()
	return &Fetcher{
		options: o, provider: provider, download: (&downloader{options: o}).download, counter: counter,
		wake: make(chan struct{}, 1), wants: wants{unknown: map[string]time.Time{}},
	}
}

// Run fetches until ctx is done.
func (f *Fetcher) Run(ctx context.Context) {
	for {
		timer := time.NewTimer(f.refresh(ctx))
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		case <-f.wake:
			timer.Stop()
		}
	}
}

// refresh fetches once and tells how long to wait for the next time.
func (f *Fetcher) refresh(ctx context.Context) time.Duration {
	f.mu.Lock()
	select {
	case <-f.wake: // This fetch is the one that was asked for.
	default:
	}
	provider, have := f.provider, f.validators
	f.wants.begin()
	f.mu.Unlock()
	asked := f.options.Now()
	got, err := f.download(ctx, provider, have)
	if ctx.Err() != nil {
		return 0
	}
	f.mu.Lock()
	before := f.revision
	result, wait := f.settle(asked, got, err)
	f.telling = f.revision != before
	changed := f.telling
	f.mu.Unlock()
	if changed {
		f.options.Changed()
	}
	f.options.Fetched(provider.Name, result)
	f.mu.Lock()
	f.telling = false
	f.wants.end()
	f.mu.Unlock()
	return wait
}

var errDropped = errors.New("the set was dropped while its issuer was asked whether it had changed")

// settle takes over what a fetch brought, asked for at that time. f.mu is held.
func (f *Fetcher) settle(asked time.Time, got fetched, err error) (result Result, wait time.Duration) {
	if err == nil && got.unchanged && f.set == nil {
		err = &failure{BadDocument, errDropped}
	}
	if err != nil {
		f.note(err)
		f.failures++
		return resultOf(err), afterFailure(f.failures, f.fresh() != nil, f.options.Random())
	}
	result = Unchanged
	if !got.unchanged {
		result, f.validators = Loaded, got.validators
		f.noteFaulty(got.faulty)
		// A set that says the same in other bytes is the same: nothing that hangs on it is thrown away.
		if !sameKeys(f.set, got.keys) {
			f.set, f.revision = got.keys, f.counter.Add(1)
			f.options.Log.Info("keys fetched", "provider", f.provider.Name, "keys", len(f.set), "ignored", got.ignored)
		}
	}
	f.lastGood, f.lastError, f.failures = asked, "", 0
	f.wants.good++
	return result, afterSuccess(got.fresh, f.options.Random())
}

// noteFaulty says once which keys of the issuer are at fault. f.mu is held.
func (f *Fetcher) noteFaulty(faulty []string) {
	if !slices.Equal(f.faulty, faulty) && len(faulty) > 0 {
		f.options.Log.Warn("keys of the issuer are at fault and not used; the others are", "provider", f.provider.Name, "keys", faulty)
	}
	f.faulty = faulty
}

// note tells of a failure once for each text.
func (f *Fetcher) note(err error) {
	text := oneLine(err)
	if text == f.lastError {
		return
	}
	f.lastError = text
	f.options.Log.Warn("cannot fetch keys: those that were fetched before stay in force until they are stale",
		"provider", f.provider.Name, "keys", len(f.set), "error", text)
}

func sameKeys(a, b []keys.Public) bool {
	return slices.EqualFunc(a, b, func(x, y keys.Public) bool { return reflect.DeepEqual(x, y) })
}

// Keys are those in force; nobody may change them. The revision is another whenever they are others, and 0 if there are
// none. When they are stale they are dropped here, so whoever holds them must ask from time to time.
func (f *Fetcher) Keys() (set []keys.Public, revision uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	set = f.fresh()
	return set, f.revision
}

// fresh drops the set if it was last confirmed too long ago. f.mu is held.
func (f *Fetcher) fresh() []keys.Public {
	longest := time.Duration(f.provider.Keys.Remote.MaxStaleSeconds) * time.Second
	if f.set != nil && f.options.Now().Sub(f.lastGood) > longest {
		f.options.Log.Error("keys dropped: their issuer has not confirmed them for too long, nobody can enter with its tokens",
			"provider", f.provider.Name, "lastGood", f.lastGood.UTC().Format(time.RFC3339), "error", f.lastError)
		f.set, f.revision, f.validators, f.faulty = nil, 0, validators{}, nil
	}
	return f.set
}

// Status tells how things are.
func (f *Fetcher) Status() Status {
	f.mu.Lock()
	defer f.mu.Unlock()
	set := f.fresh()
	out := Status{Provider: f.provider.Name, LastGood: f.lastGood, LastError: f.lastError, KeyIDs: []string{}, Faulty: f.faulty}
	for _, key := range set {
		out.KeyIDs = append(out.KeyIDs, key.ID)
	}
	return out
}

// follow takes over a change of the provider, and fetches anew. It refuses one of the place where keys come from: keys
// from another place are other keys.
func (f *Fetcher) follow(provider gateapi.Provider) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if placeOf(provider) != placeOf(f.provider) {
		return false
	}
	if !reflect.DeepEqual(provider, f.provider) {
		// What was good by the old rules has to be judged whole by the new ones.
		f.provider, f.validators = provider, validators{}
		f.rouse()
	}
	return true
}

// asks tells whether this is where the provider's keys come from.
func (f *Fetcher) asks(provider gateapi.Provider) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return provider.Keys.Remote != nil && placeOf(provider) == placeOf(f.provider)
}

func (f *Fetcher) rouse() {
	select {
	case f.wake <- struct{}{}:
	default: // It will wake anyway.
	}
}
