package remote

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

const (
	// wantPause is between fetches that unknown key ids ask for, and how long a key id stays unknown.
	wantPause = 30 * time.Second
	// wantPatience bounds how long Want waits.
	wantPatience = time.Second
	// maxWaiting bounds how many wait at once; further ones are told no.
	maxWaiting = 256
	// maxUnknown bounds how many key ids are remembered. Forgetting one costs no fetch: wantPause holds without it.
	maxUnknown = 1024
)

// wants keeps account of the key ids that were asked for in vain. Fetcher.mu guards it.
type wants struct {
	lastAsked time.Time            // when a key id last caused a fetch
	unknown   map[string]time.Time // until when a key id is not asked for again
	waiting   int
	round     chan struct{} // closed after the fetch that is under way or asked for; nil if there is none
	good      int           // fetches that brought an answer, so far
}

func (w *wants) begin() {
	if w.round == nil {
		w.round = make(chan struct{})
	}
}

func (w *wants) end() {
	close(w.round)
	w.round = nil
}

// Want tells whether it is worth while to judge anew a token whose key id the provider did not have: it may have been
// fetched since, or be fetched now. The caller waits for at most a second and until ctx is done. However many ids are
// asked for, that causes at most one fetch in half a minute, and the rest is a look at a map.
func (f *Fetcher) Want(ctx context.Context, keyID string) bool {
	if keyID == "" {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, wantPatience)
	defer cancel()
	for good := -1; ; {
		known, round := f.ask(keyID, &good)
		if round == nil {
			return known
		}
		select {
		case <-round:
			f.leave()
		case <-ctx.Done():
			f.leave()
			return f.has(keyID)
		}
	}
}

// ask gives a verdict, or a round to wait for and to leave. good carries, from one call to the next, how many good
// fetches there had been before the wait.
func (f *Fetcher) ask(keyID string, good *int) (known bool, round <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	w, now := &f.wants, f.options.Now()
	switch known = hasKey(f.fresh(), keyID); {
	case known && !f.telling:
		return true, nil
	case !known && now.Before(w.unknown[keyID]), w.waiting >= maxWaiting:
		return false, nil
	}
	if w.round == nil && now.Sub(w.lastAsked) < wantPause {
		if *good >= 0 && w.good > *good {
			w.remember(keyID, now)
		}
		return false, nil
	}
	if w.round == nil {
		w.lastAsked = now
		w.begin()
		f.rouse()
	}
	*good = w.good
	w.waiting++
	return known, w.round
}

func (f *Fetcher) leave() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.wants.waiting--
}

func (f *Fetcher) has(keyID string) bool {
	set, _ := f.Keys()
	return hasKey(set, keyID)
}

func hasKey(set []keys.Public, keyID string) bool {
	return slices.ContainsFunc(set, func(key keys.Public) bool { return !key.Anonymous && key.ID == keyID })
}

func (w *wants) remember(keyID string, now time.Time) {
	if len(w.unknown) >= maxUnknown {
		maps.DeleteFunc(w.unknown, func(_ string, until time.Time) bool { return !now.Before(until) })
	}
	if len(w.unknown) < maxUnknown {
		w.unknown[keyID] = now.Add(wantPause)
	}
}
