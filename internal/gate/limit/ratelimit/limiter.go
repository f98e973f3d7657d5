package ratelimit

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

// Limit says how many failures a source may have: Burst at once, and PerSecond more each second. The zero Limit has
// no end.
type Limit struct{ PerSecond, Burst int32 }

// Limiter knows the sources of requests. It is safe for concurrent use, and outlives changes of the configuration: a
// Limit comes with each question.
type Limiter struct {
	now  func() time.Time
	seed maphash.Seed
	all  table
	lane slowLane
	// patience is laneWait but in tests.
	patience time.Duration
}

// New makes a Limiter that has seen nobody yet. Its memory is bounded; see shards.
func New(now func() time.Time) *Limiter {
	return &Limiter{now: now, seed: maphash.MakeSeed(), lane: newSlowLane(), patience: laneWait}
}

// Failed counts a bad signature, and reports whether its source is over its budget; a shared source never is.
func (l *Limiter) Failed(source Source, budget Limit) (over bool) {
	if budget == (Limit{}) {
		return false
	}
	now := l.now()
	l.all.with(l.hash(source), source.key(), func(e *entry) {
		if e.refill(budget, now) >= 1 {
			e.level--
			return
		}
		over = !e.shared(source, now)
	})
	return over
}

// Succeeded counts a good token. Many callers behind one source make it a shared one.
func (l *Limiter) Succeeded(source Source, provider, subject string) {
	now, caller := l.now(), maphash.Comparable(l.seed, [2]string{provider, subject})
	l.all.with(l.hash(source), source.key(), func(e *entry) {
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
func (l *Limiter) Enter(ctx context.Context, source Source, budget Limit) (done func(), ok bool) {
	if budget == (Limit{}) {
		return func() {}, true
	}
	over, weight, patience := false, 1, l.patience
	l.all.with(l.hash(source), source.key(), func(e *entry) {
		now := l.now()
		over = e.refill(budget, now) < 1
		if e.shared(source, now) {
			weight, patience = sharedWeight, 0
		}
	})
	if !over {
		return func() {}, true
	}
	return l.lane.enter(ctx, source.key(), weight, patience)
}

func (l *Limiter) hash(source Source) uint64 { return maphash.Comparable(l.seed, source.key()) }
