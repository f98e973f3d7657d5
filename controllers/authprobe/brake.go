package authprobe

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// brake doubts the prober where it would take a large part of the fleet out of its Services at once: that many locks do
// not break within one interval, while one clock, one release of the prober or one change of the cluster can make it
// seem so. While it is engaged no readiness gate is withdrawn. Its zero value is ready for use.
//
// The fleet are the servers that were tried since the operator started. Of those that turned before the brake engaged,
// two or at most a fifth, the pods get their readiness gates back.
type brake struct {
	mu    sync.Mutex
	fleet map[types.NamespacedName]bool
	// turned are the servers that went from proven to open, and until when that counts as happening now.
	turned  map[types.NamespacedName]time.Time
	engaged bool
}

const (
	// brakeServers is the least number of servers that engages the brake, brakeShare the part of the fleet (1/5) that
	// must be exceeded.
	brakeServers = 3
	brakeShare   = 5
)

// standing is how a server stands after it was tried.
type standing int

const (
	// standsUntried: nothing is known of it, so it is not of the fleet.
	standsUntried standing = iota
	// standsOtherwise: nobody was seen to be let in who must not be.
	standsOtherwise
	// standsOpen: a pod is open that was not proven before.
	standsOpen
	// turnsOpen: a pod is open that was proven until now.
	turnsOpen
)

// see takes note of how a server stands, and tells whether the brake is engaged, and whether this engaged it. interval
// is the server's own.
func (b *brake) see(server types.NamespacedName, how standing, interval time.Duration, now time.Time) (engaged, news bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fleet == nil {
		b.fleet, b.turned = map[types.NamespacedName]bool{}, map[types.NamespacedName]time.Time{}
	}
	b.fleet[server] = true
	switch _, known := b.turned[server]; {
	case how == standsUntried:
		delete(b.fleet, server)
		delete(b.turned, server)
	case how == standsOtherwise:
		delete(b.turned, server)
	case how == turnsOpen && !known:
		b.turned[server] = now.Add(interval)
	}
	return b.settle(now)
}

// forget drops a server that is no more.
func (b *brake) forget(server types.NamespacedName, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.fleet, server)
	delete(b.turned, server)
	b.settle(now)
}

// isEngaged tells whether the brake holds.
func (b *brake) isEngaged() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.engaged
}

// settle engages the brake and lets it go; the lock is held. An engaged brake holds for as long as what engaged it
// stands, whatever time passes: only proof, or the end of servers, lets it go.
func (b *brake) settle(now time.Time) (engaged, news bool) {
	if !b.engaged {
		for server, until := range b.turned {
			if now.After(until) {
				delete(b.turned, server)
			}
		}
	}
	before := b.engaged
	b.engaged = len(b.turned) >= brakeServers && len(b.turned)*brakeShare > len(b.fleet)
	return b.engaged, b.engaged && !before
}
