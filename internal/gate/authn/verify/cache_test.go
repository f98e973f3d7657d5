package verify

import (
	"crypto/sha256"
	"encoding/binary"
	"sync"
	"testing"
	"time"
)

// inSet makes digests that all lie in one set.
func inSet(n byte) tokenDigest { return tokenDigest{0, 0, n, 1} }

func remembered(c *cache) (count int) {
	for set := range c.sets {
		for way := range c.sets[set] {
			if c.sets[set][way].Load() != nil {
				count++
			}
		}
	}
	return count
}

func TestCacheIsBounded(t *testing.T) {
	c := new(cache)
	now := time.Unix(0, 0)
	const tokens = 4 * cacheSets * cacheWays
	for i := range uint64(tokens) {
		key := sha256.Sum256(binary.BigEndian.AppendUint64(nil, i))
		c.put(&entry{key: key, life: tokenLife{end: now.Add(time.Hour)}}, now)
		if known := c.get(key); known == nil || known.key != key {
			t.Fatalf("token %d is not found after it was put in", i)
		}
	}
	if count := remembered(c); count != cacheSets*cacheWays {
		t.Errorf("%d tokens are remembered, want %d", count, cacheSets*cacheWays)
	}
}

func TestWhoMakesPlace(t *testing.T) {
	c := new(cache)
	now := time.Unix(0, 0)
	put := func(n byte, life_ time.Duration) {
		c.put(&entry{key: inSet(n), life: tokenLife{end: now.Add(life_)}}, now)
	}
	for n := range byte(cacheWays) {
		put(n, time.Hour+time.Duration(n)*time.Hour)
	}
	put(3, time.Hour) // again
	if remembered(c) != cacheWays {
		t.Fatalf("%d places are taken", remembered(c))
	}
	// The one that has expired goes first, used or not.
	now = now.Add(time.Hour)
	c.get(inSet(0))
	put(100, 24*time.Hour)
	if known := c.get(inSet(0)); known != nil && now.Before(known.life.end) || c.get(inSet(100)) == nil {
		t.Error("an expired token was kept, or another than it went")
	}
	put(101, 24*time.Hour) // in the place of 3, or of 0
	// Of those that live, the one that nobody asked for.
	for n := range byte(cacheWays) {
		if n != 5 {
			c.get(inSet(n))
		}
	}
	c.get(inSet(100))
	c.get(inSet(101))
	put(102, 24*time.Hour)
	if c.get(inSet(5)) != nil || c.get(inSet(102)) == nil || c.get(inSet(6)) == nil {
		t.Error("a token that was used went before one that was not")
	}
	// And if all were used, any.
	put(103, 24*time.Hour)
	if c.get(inSet(103)) == nil || remembered(c) != cacheWays {
		t.Error("no place was made where all were used")
	}
	// That took the marks away: what nobody has asked for since goes next.
	const idle = 3
	var left []tokenDigest
	for i := range c.sets[0] {
		left = append(left, c.sets[0][i].Load().key)
		if i != idle {
			c.get(left[i])
		}
	}
	put(104, 24*time.Hour)
	for i, key := range left {
		if known := c.get(key); (known == nil) != (i == idle) {
			t.Errorf("place %d: token %d is remembered: %v", i, key[2], known != nil)
		}
	}
}

// For the race detector.
func TestCacheIsShared(t *testing.T) {
	c := new(cache)
	var group sync.WaitGroup
	for worker := range 4 {
		group.Go(func() {
			for i := range 2000 {
				key := inSet(byte(i*7+worker) % 12)
				if known := c.get(key); known == nil {
					c.put(&entry{key: key, life: tokenLife{end: time.Unix(1, 0)}}, time.Unix(0, 0))
				} else if known.key != key {
					t.Error("another token was found")
				}
			}
		})
	}
	group.Wait()
}
