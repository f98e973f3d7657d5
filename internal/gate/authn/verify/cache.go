package verify

import (
	"crypto/sha256"
	"encoding/binary"
	"sync"
	"sync/atomic"
	"time"
)

// tokenDigest is the SHA-256 of a whole token, signature included: a token that differs in one bit is another token.
type tokenDigest = [sha256.Size]byte

// digestOf allocates nothing, as it is what most requests cost.
func digestOf(raw string) tokenDigest {
	buffer := bufferPool.Get().(*[]byte)
	defer bufferPool.Put(buffer)
	*buffer = append((*buffer)[:0], raw...)
	return sha256.Sum256(*buffer)
}

var bufferPool = sync.Pool{New: func() any { return new([]byte) }}

const (
	cacheSets = 1024
	cacheWays = 8
)

// cache remembers accepted tokens, at most cacheSets*cacheWays = 8,192. It is built like a processor's: the digest says
// in which set a token may lie, and a set has few places, so that reading takes no lock and finding a place no list.
// Nobody can choose the set of a token: digests are as good as random, and only tokens of our issuers come in.
//
// Of 4,096 tokens in use it remembers 99 in 100, of 8,192 about 87. It takes 64 KiB and what its tokens take: some 360
// bytes for a usual one, so 3 MiB when full. Limits.TokenBytes bounds the worst, tokens full of claims that the
// configuration names.
type cache struct {
	sets [cacheSets][cacheWays]atomic.Pointer[entry]
}

// entry is an accepted token. It does not change, but for its mark.
type entry struct {
	key       tokenDigest
	principal Principal
	life      tokenLife
	used      atomic.Bool // since somebody last looked for a place
}

func (c *cache) set(key tokenDigest) *[cacheWays]atomic.Pointer[entry] {
	return &c.sets[binary.BigEndian.Uint16(key[:])%cacheSets]
}

// get finds a token that was accepted once. Whether it still is depends on the clock.
func (c *cache) get(key tokenDigest) *entry {
	set := c.set(key)
	for i := range set {
		known := set[i].Load()
		if known == nil || known.key != key {
			continue
		}
		if !known.used.Load() {
			known.used.Store(true)
		}
		return known
	}
	return nil
}

// put remembers a token in the place of an expired one, or of one that was not used for longest, as far as one mark for
// each tells (the clock algorithm). Two that come at once may take the same place; the one that is lost is verified
// again when it comes back.
func (c *cache) put(added *entry, now time.Time) {
	set := c.set(added.key)
	for i := range set {
		known := set[i].Load()
		if known == nil || known.key == added.key || !now.Before(known.life.end) {
			set[i].Store(added)
			return
		}
	}
	first := int(added.key[2]) % cacheWays
	for i := range set {
		place := &set[(first+i)%cacheWays]
		if !place.Load().used.CompareAndSwap(true, false) {
			place.Store(added)
			return
		}
	}
	set[first].Store(added)
}
