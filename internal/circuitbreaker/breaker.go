package circuitbreaker

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// Breaker doubts the prober where it would take a large part of the fleet out of its Services at once: that many locks do
// not break within one interval, while one clock, one release of the prober or one change of the cluster can make it
// seem so. While it is tripped no readiness gate is withdrawn. Its zero value is ready for use.
//
// The fleet are the servers that were tried since the operator started. Of those that turned before it tripped,
// two or at most a fifth, the pods get their readiness gates back.
type Breaker struct {
	mu    sync.Mutex
	fleet map[types.NamespacedName]bool
	// turned are the servers that went from proven to open, and until when that counts as happening now.
	turned  map[types.NamespacedName]time.Time
	tripped bool
}

const (
	// minServers is the least number of servers that trips it, share the part of the fleet (1/5) that
	// must be exceeded.
	minServers = 3
	share      = 5
)

// State is how a server stands after it was tried.
type State int

const (
	// Untried: nothing is known of it, so it is not of the fleet.
	Untried State = iota
	// NotOpen: nobody was seen to be let in who must not be.
	NotOpen
	// Open: a pod is open that was not proven before.
	Open
	// TurnedOpen: a pod is open that was proven until now.
	TurnedOpen
)

// Observe takes note of how a server stands, and returns whether the breaker is tripped, and whether this has just tripped it. interval
// is the server's own.
func (b *Breaker) Observe(server types.NamespacedName, how State, interval time.Duration, now time.Time) (tripped, news bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fleet == nil {
		b.fleet, b.turned = map[types.NamespacedName]bool{}, map[types.NamespacedName]time.Time{}
	}
	b.fleet[server] = true
	switch _, known := b.turned[server]; {
	case how == Untried:
		delete(b.fleet, server)
		delete(b.turned, server)
	case how == NotOpen:
		delete(b.turned, server)
	case how == TurnedOpen && !known:
		b.turned[server] = now.Add(interval)
	}
	return b.settle(now)
}

// Forget drops a server that is no more.
func (b *Breaker) Forget(server types.NamespacedName, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.fleet, server)
	delete(b.turned, server)
	b.settle(now)
}

// IsTripped reports whether the breaker is tripped.
func (b *Breaker) IsTripped() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.tripped
}

// settle trips the breaker and resets it; the lock is held. It stays tripped for as long as what tripped it stands,
// whatever time passes: only proof, or the end of servers, resets it.
func (b *Breaker) settle(now time.Time) (tripped, news bool) {
	if !b.tripped {
		for server, until := range b.turned {
			if now.After(until) {
				delete(b.turned, server)
			}
		}
	}
	before := b.tripped
	b.tripped = len(b.turned) >= minServers && len(b.turned)*share > len(b.fleet)
	return b.tripped, b.tripped && !before
}
