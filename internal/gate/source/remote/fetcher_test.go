package remote

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

// fakeIssuer takes the place of the network; its clock is the bubble's.
type fakeIssuer struct {
	t     *testing.T // the bubble's
	began time.Time

	mu      sync.Mutex
	takes   time.Duration
	answer  fetched
	err     error
	fetches []time.Duration // when, since the beginning
	telling time.Duration   // how long Changed takes
	told    int             // how often Changed has returned
}

func (i *fakeIssuer) changed() {
	i.mu.Lock()
	takes := i.telling
	i.mu.Unlock()
	time.Sleep(takes)
	i.mu.Lock()
	defer i.mu.Unlock()
	i.told++
}

func (i *fakeIssuer) changes() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.told
}

func (i *fakeIssuer) download(ctx context.Context, _ gateapi.Provider, _ validators) (fetched, error) {
	i.mu.Lock()
	i.fetches = append(i.fetches, time.Since(i.began))
	takes := i.takes
	i.mu.Unlock()
	select {
	case <-time.After(takes):
	case <-ctx.Done():
		return fetched{}, ctx.Err()
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.answer, i.err
}

func (i *fakeIssuer) set(result fetched, err error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.answer, i.err = result, err
}

func (i *fakeIssuer) slow(takes time.Duration) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.takes = takes
}

func (i *fakeIssuer) times() []time.Duration {
	i.mu.Lock()
	defer i.mu.Unlock()
	return slices.Clone(i.fetches)
}

func fetchedKeys(ids ...string) fetched {
	out := fetched{fresh: -1}
	for _, id := range ids {
		out.keys = append(out.keys, keys.Public{ID: id, Algorithm: keys.ES256})
	}
	return out
}

// bubble runs a Fetcher of an issuer in a bubble of its own time. Its end proves that nothing keeps running.
func bubble(t *testing.T, test func(f *Fetcher, i *fakeIssuer)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		i := &fakeIssuer{t: t, began: time.Now(), answer: fetchedKeys("a")}
		f := New(gateapi.Provider{Name: "idp", Keys: gateapi.KeySource{
			Remote: &gateapi.RemoteKeys{JWKSURI: "https://issuer.example/keys", MaxStaleSeconds: 3600},
		}}, Options{Random: func() float64 { return 0 }, Changed: i.changed})
		f.download = i.download
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { f.Run(ctx) })
		synctest.Wait()
		test(f, i)
		cancel()
		running.Wait()
	})
}

func keyIDsOf(f *Fetcher) []string { return f.Status().KeyIDs }

// pass lets time pass, and all that happens in it happen.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func inSeconds(numbers ...int) []time.Duration {
	var out []time.Duration
	for _, n := range numbers {
		out = append(out, time.Duration(n)*time.Second)
	}
	return out
}

func TestFetchesAtItsTime(t *testing.T) {
	bubble(t, func(_ *Fetcher, i *fakeIssuer) {
		t := i.t
		pass(5 * time.Minute)
		i.set(fetched{unchanged: true, fresh: 20 * time.Minute}, nil)
		pass(5 * time.Minute)
		pass(20 * time.Minute)
		if got, want := i.times(), inSeconds(0, 300, 600, 1800); !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}

func TestFailuresSlowItDown(t *testing.T) {
	bubble(t, func(f *Fetcher, i *fakeIssuer) {
		t := i.t
		i.set(fetched{}, errors.New("away"))
		pass(20 * time.Minute)
		want := inSeconds(0, 300, 301, 303, 307, 315, 331, 363, 427, 555, 811, 1111)
		if got := i.times(); !slices.Equal(got, want) {
			t.Errorf("with keys: got %v, want %v", got, want)
		}
		pass(45 * time.Minute) // Now they are stale.
		if told := i.changes(); told != 2 {
			t.Errorf("told of %d changes", told)
		}
		if got := keyIDsOf(f); len(got) != 0 {
			t.Errorf("got %v", got)
		}
		before := len(i.times())
		pass(time.Hour)
		if n := len(i.times()) - before; n < 59 || n > 61 {
			t.Errorf("without keys it asked %d times in an hour", n)
		}
		i.set(fetchedKeys("b"), nil)
		pass(time.Minute)
		if got := keyIDsOf(f); !slices.Equal(got, []string{"b"}) {
			t.Errorf("got %v", got)
		}
		if got := f.Status(); got.LastError != "" || time.Since(got.LastGood) > time.Minute {
			t.Errorf("got %+v", got)
		}
	})
}

func TestUnchangedAfterADropIsNoSet(t *testing.T) {
	bubble(t, func(f *Fetcher, i *fakeIssuer) {
		t := i.t
		i.slow(2 * time.Hour) // The answer is under way while the set is dropped.
		i.set(fetched{unchanged: true, fresh: -1}, nil)
		pass(5*time.Minute + time.Hour)
		if got := keyIDsOf(f); len(got) != 0 {
			t.Errorf("got %v", got)
		}
		pass(time.Hour)
		if status := f.Status(); len(status.KeyIDs) != 0 || status.LastError == "" {
			t.Errorf("got %+v", status)
		}
	})
}

func TestUnknownKeyIsFetched(t *testing.T) {
	bubble(t, func(f *Fetcher, i *fakeIssuer) {
		t := i.t
		pass(time.Minute)
		if !f.Want(t.Context(), "a") || len(i.times()) != 1 {
			t.Error("a key that is there was fetched")
		}
		i.slow(500 * time.Millisecond)
		i.set(fetchedKeys("a", "b"), nil)
		// Many at once share one fetch.
		var all sync.WaitGroup
		for range 100 {
			all.Go(func() {
				if !f.Want(t.Context(), "b") {
					t.Error("the new key was not found")
				}
			})
		}
		all.Wait()
		if got, want := i.times(), inSeconds(0, 60); !slices.Equal(got, want) {
			t.Errorf("fetched at %v, want %v", got, want)
		}
	})
}

func TestNewKeyWhileAnOlderFetchIsUnderWay(t *testing.T) {
	bubble(t, func(f *Fetcher, i *fakeIssuer) {
		t := i.t
		i.slow(400 * time.Millisecond)
		pass(5*time.Minute + 100*time.Millisecond)
		var all sync.WaitGroup
		all.Go(func() {
			if !f.Want(t.Context(), "b") {
				t.Error("the new key was not found")
			}
		})
		pass(400 * time.Millisecond) // The fetch that was under way has ended, too old.
		i.set(fetchedKeys("a", "b"), nil)
		all.Wait()
		if got := len(i.times()); got != 3 {
			t.Errorf("fetched %d times", got)
		}
	})
}

// A fetch that comes by itself just when one is asked for is that one.
func TestOneFetchForTimeAndWish(t *testing.T) {
	i := &fakeIssuer{t: t, began: time.Now(), answer: fetchedKeys("a")}
	f := New(gateapi.Provider{Keys: gateapi.KeySource{Remote: &gateapi.RemoteKeys{MaxStaleSeconds: 3600}}}, Options{})
	f.download = i.download
	f.rouse()
	f.refresh(t.Context())
	if len(f.wake) != 0 {
		t.Error("another fetch would follow at once")
	}
}

func TestNobodyWaitsLongerThanASecond(t *testing.T) {
	bubble(t, func(f *Fetcher, i *fakeIssuer) {
		t := i.t
		i.slow(5 * time.Second)
		began := time.Now()
		if f.Want(t.Context(), "b") || time.Since(began) != time.Second {
			t.Errorf("waited %v", time.Since(began))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		began = time.Now()
		if f.Want(ctx, "b") || time.Since(began) != time.Millisecond {
			t.Errorf("the caller left, and was kept for %v", time.Since(began))
		}
		if got := len(i.times()); got != 2 {
			t.Errorf("fetched %d times", got)
		}
	})
}

// A flood of key ids that nobody has causes one fetch in half a minute, and but for those that wait for that one, costs
// no time at all.
func TestFloodOfUnknownKeys(t *testing.T) {
	bubble(t, func(f *Fetcher, i *fakeIssuer) {
		t := i.t
		pass(time.Second)
		for minute := range 2 {
			for second := range 60 {
				began := time.Now()
				for n := range 500 {
					if f.Want(t.Context(), fmt.Sprint(minute, second, n)) {
						t.Fatal("a key that nobody has is there")
					}
				}
				if time.Since(began) != 0 {
					t.Fatalf("it took %v", time.Since(began))
				}
				pass(time.Second)
			}
		}
		if got, want := i.times(), inSeconds(0, 1, 31, 61, 91); !slices.Equal(got, want) {
			t.Errorf("fetched at %v, want %v", got, want)
		}
	})
}

func TestFewWaitAtOnce(t *testing.T) {
	bubble(t, func(f *Fetcher, i *fakeIssuer) {
		t := i.t
		i.slow(5 * time.Second)
		var all sync.WaitGroup
		for n := range maxWaiting {
			all.Go(func() { f.Want(t.Context(), fmt.Sprint(n)) })
		}
		synctest.Wait()
		began := time.Now()
		if f.Want(t.Context(), "one more") || time.Since(began) != 0 {
			t.Errorf("one more waited for %v", time.Since(began))
		}
		all.Wait()
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.wants.waiting != 0 {
			t.Errorf("%d still count as waiting", f.wants.waiting)
		}
	})
}

func TestUnknownKeysAreRememberedForAWhile(t *testing.T) {
	bubble(t, func(f *Fetcher, i *fakeIssuer) {
		t := i.t
		i.slow(900 * time.Millisecond)
		f.Want(t.Context(), "x") // fetched at 0 by the Fetcher itself, and again now
		pass(wantPause - 500*time.Millisecond)
		// The pause between fetches is over, the memory of this one is not.
		if f.Want(t.Context(), "x") || len(i.times()) != 2 {
			t.Errorf("fetched at %v", i.times())
		}
		i.set(fetchedKeys("a", "x"), nil)
		pass(time.Second)
		if !f.Want(t.Context(), "x") || len(i.times()) != 3 {
			t.Errorf("fetched at %v", i.times())
		}
	})
}

// An issuer that did not answer has not said that it does not know the key.
func TestNothingIsLearntFromAFailure(t *testing.T) {
	bubble(t, func(f *Fetcher, i *fakeIssuer) {
		t := i.t
		i.slow(900 * time.Millisecond)
		i.set(fetched{}, errors.New("away"))
		if f.Want(t.Context(), "x") {
			t.Error("the key is there")
		}
		pass(wantPause - 500*time.Millisecond)
		i.set(fetchedKeys("a", "x"), nil)
		if !f.Want(t.Context(), "x") {
			t.Errorf("fetched at %v", i.times())
		}
	})
}

func TestMemoryOfUnknownKeysIsBounded(t *testing.T) {
	now := time.Now()
	w := wants{unknown: map[string]time.Time{}}
	for n := range 2 * maxUnknown {
		w.remember(fmt.Sprint(n), now)
	}
	if len(w.unknown) != maxUnknown {
		t.Errorf("it remembers %d", len(w.unknown))
	}
	w.remember("later", now.Add(wantPause))
	if len(w.unknown) != 1 {
		t.Errorf("it remembers %d that are over", len(w.unknown)-1)
	}
}

func TestNoKeyID(t *testing.T) {
	bubble(t, func(f *Fetcher, i *fakeIssuer) {
		t := i.t
		if f.Want(t.Context(), "") || len(i.times()) != 1 {
			t.Error("a token without a key id caused a fetch")
		}
	})
}

// Whoever was told to judge anew finds the new keys in force: Changed has come before.
func TestChangeIsToldBeforeWantReturns(t *testing.T) {
	bubble(t, func(f *Fetcher, i *fakeIssuer) {
		t := i.t
		i.mu.Lock()
		i.telling = 100 * time.Millisecond
		i.mu.Unlock()
		i.set(fetchedKeys("a", "b"), nil)
		var all sync.WaitGroup
		for range 2 {
			all.Go(func() {
				if !f.Want(t.Context(), "b") || i.changes() != 2 {
					t.Errorf("told of %d changes", i.changes())
				}
			})
			pass(50 * time.Millisecond)
		}
		all.Wait()
		i.set(fetched{unchanged: true}, nil)
		pass(10 * time.Minute)
		if i.changes() != 2 {
			t.Error("told of a change where there was none")
		}
	})
}

// The same keys in another document are no change.
func TestRevisions(t *testing.T) {
	bubble(t, func(f *Fetcher, i *fakeIssuer) {
		t := i.t
		_, first := f.Keys()
		i.set(fetchedKeys("a"), nil)
		pass(5 * time.Minute)
		if _, same := f.Keys(); same != first {
			t.Error("the same keys are another revision")
		}
		i.set(fetchedKeys("b"), nil)
		pass(5 * time.Minute)
		if _, next := f.Keys(); next == first || next == 0 {
			t.Errorf("other keys have revision %d after %d", next, first)
		}
	})
}
