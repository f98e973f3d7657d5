package ratelimit

import (
	"sync"
	"time"
)

// The table holds shards x shardSources = 65,536 sources. An entry takes 128 bytes and its place in the index at most
// 50, so all of them less than 12 MiB; an empty table takes nothing.
const (
	shards       = 64
	shardSources = 1024
)

// entry is what is known of a source. The zero entry is a source never seen.
type entry struct {
	key [16]byte
	// level is what is left of the budget, as of refilled.
	level    float64
	refilled time.Time
	// callers is a set of at most 128 hashes of callers, since windowBegan.
	callers     [2]uint64
	windowBegan time.Time
	sharedUntil time.Time
	used        bool // since the hand passed
}

// refill brings the level up to date and gives it.
func (e *entry) refill(budget Limit, now time.Time) float64 {
	burst := float64(budget.Burst)
	if e.refilled.IsZero() {
		e.level = burst
	}
	// A clock that was set back gives nothing.
	if elapsed := now.Sub(e.refilled); !e.refilled.IsZero() && elapsed > 0 {
		e.level += elapsed.Seconds() * float64(budget.PerSecond)
	}
	e.level = min(e.level, burst)
	e.refilled = now
	return e.level
}

// shared tells whether others may be behind the source: a loopback address is that of a mesh's proxy.
func (e *entry) shared(source Source, now time.Time) bool {
	return source.address.IsLoopback() || now.Before(e.sharedUntil)
}

// table finds the entries of sources. When a shard is full, a source that was not heard of lately makes room.
type table struct{ shards [shards]shard }

type shard struct {
	mu      sync.Mutex
	index   map[[16]byte]int
	entries []entry
	hand    int
}

// with calls do with the source's entry, which is made if need be. do must not block.
func (t *table) with(hash uint64, key [16]byte, do func(*entry)) {
	s := &t.shards[hash%shards]
	s.mu.Lock()
	defer s.mu.Unlock()
	at, known := s.index[key]
	if !known {
		at = s.place()
		s.entries[at] = entry{key: key}
		s.index[key] = at
	}
	// Who is new has not been used yet: a stream of sources that come once must push out each other.
	s.entries[at].used = known
	do(&s.entries[at])
}

// place gives a free entry: a new one or, by the second-chance rule, one that was not used since the hand last passed.
func (s *shard) place() int {
	if s.index == nil {
		s.index = map[[16]byte]int{}
	}
	if len(s.entries) < shardSources {
		s.entries = append(s.entries, entry{})
		return len(s.entries) - 1
	}
	for s.entries[s.hand].used {
		s.entries[s.hand].used = false
		s.hand = (s.hand + 1) % shardSources
	}
	at := s.hand
	s.hand = (s.hand + 1) % shardSources
	delete(s.index, s.entries[at].key)
	return at
}
