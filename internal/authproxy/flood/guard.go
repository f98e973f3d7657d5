package flood

import (
	"context"
	"hash/maphash"
	"math/bits"
	"time"
)

const (
	// window is the time within which callers of one source are counted.
	window = time.Minute
	// manyBits are set in an entry's callers when more than 50 have been seen: n callers set 128 (1 - exp(-n/128)) of
	// 128 bits.
	manyBits = 42
	// laneWait is how long a request of an ordinary source waits for its turn. Before it is its turn nobody knows whether
	// its token is good, and good ones must not be refused for others: so it is long enough for a check for each of
	// thousands of connections, also where processors are scarce.
	laneWait = 10 * time.Second
	// sharedWeight is how many turns in a row a shared source has in the slow lane, where any other has one.
	sharedWeight = 8
)

// Budget says how many failures a source may have: Burst at once, and PerSecond more each second. The zero Budget has
// no end.
type Budget struct{ PerSecond, Burst int32 }

// Guard knows the sources of requests. It is safe for concurrent use, and outlives changes of the configuration: a
// Budget comes with each question.
type Guard struct {
	now  func() time.Time
	seed maphash.Seed
	all  table
	lane lane
	// patience is laneWait but in tests.
	patience time.Duration
}

// New makes a Guard that has seen nobody yet. Its memory is bounded; see shards.
func New(now func() time.Time) *Guard {
	return &Guard{now: now, seed: maphash.MakeSeed(), lane: newLane(), patience: laneWait}
}

// Failed counts a bad signature, and reports whether its source is over its budget; a shared source never is.
func (g *Guard) Failed(source Source, budget Budget) (over bool) {
	if budget == (Budget{}) {
		return false
	}
	now := g.now()
	g.all.with(g.hash(source), source.key(), func(e *entry) {
		if e.refill(budget, now) >= 1 {
			e.level--
			return
		}
		over = !e.shared(source, now)
	})
	return over
}

// Succeeded counts a good token. Many callers behind one source make it a shared one.
func (g *Guard) Succeeded(source Source, provider, subject string) {
	now, caller := g.now(), maphash.Comparable(g.seed, [2]string{provider, subject})
	g.all.with(g.hash(source), source.key(), func(e *entry) {
		if now.Sub(e.windowBegan).Abs() >= window {
			e.windowBegan, e.callers = now, [2]uint64{}
		}
		e.callers[caller>>6&1] |= 1 << (caller & 63)
		if bits.OnesCount64(e.callers[0])+bits.OnesCount64(e.callers[1]) >= manyBits {
			e.sharedUntil = now.Add(2 * window)
		}
	})
}

// Enter asks for leave to check the signature of a source's new token. A source within its budget gets it at once,
// any other in its turn. It is refused after a wait of 10 s, and to a shared source never: the callers behind it have
// nowhere else to come from. If ok, done must be called when the signature is checked.
func (g *Guard) Enter(ctx context.Context, source Source, budget Budget) (done func(), ok bool) {
	if budget == (Budget{}) {
		return func() {}, true
	}
	over, weight, patience := false, 1, g.patience
	g.all.with(g.hash(source), source.key(), func(e *entry) {
		now := g.now()
		over = e.refill(budget, now) < 1
		if e.shared(source, now) {
			weight, patience = sharedWeight, 0
		}
	})
	if !over {
		return func() {}, true
	}
	return g.lane.enter(ctx, source.key(), weight, patience)
}

func (g *Guard) hash(source Source) uint64 { return maphash.Comparable(g.seed, source.key()) }
