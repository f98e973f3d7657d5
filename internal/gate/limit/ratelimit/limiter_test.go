package ratelimit

import (
	"context"
	"encoding/binary"
	"net/netip"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"
)

var testBudget = Limit{PerSecond: 2, Burst: 5}

func from(text string) Source { return Source{address: netip.MustParseAddr(text)} }

// clock is set by a test.
type clock struct{ at time.Time }

func newClock() *clock               { return &clock{at: time.Unix(1_800_000_000, 0)} }
func (c *clock) now() time.Time      { return c.at }
func (c *clock) add(d time.Duration) { c.at = c.at.Add(d) }

// failures fails n times and counts the answers.
func failures(g *Limiter, source Source, n int) (tooMany int) {
	for range n {
		if g.Failed(source, testBudget) {
			tooMany++
		}
	}
	return tooMany
}

func TestBudget(t *testing.T) {
	c := newClock()
	g := New(c.now)
	a, b := from("1.2.3.4"), from("1.2.3.5")
	for _, step := range []struct {
		wait       time.Duration
		source     Source
		n, tooMany int
	}{
		{0, a, 5, 0}, {0, a, 3, 3}, {0, b, 6, 1},
		{500 * time.Millisecond, a, 2, 1}, // one more
		{time.Second, a, 4, 2},
		{time.Hour, a, 7, 2}, // never more than a burst
		{-time.Hour, a, 1, 1},
		{time.Second, a, 3, 1},
	} {
		c.add(step.wait)
		if tooMany := failures(g, step.source, step.n); tooMany != step.tooMany {
			t.Errorf("%+v: got %d", step, tooMany)
		}
	}
}

func TestWithoutABudgetNothingHappens(t *testing.T) {
	g := New(newClock().now)
	for range 1000 {
		if g.Failed(from("1.2.3.4"), Limit{}) {
			t.Fatal("there is no budget, and it is spent")
		}
	}
	leave, ok := g.Enter(t.Context(), from("1.2.3.4"), Limit{})
	if !ok {
		t.Fatal("not let in")
	}
	leave()
}

func TestSharedSources(t *testing.T) {
	c := newClock()
	g := New(c.now)
	few, many, mesh := from("1.2.3.4"), from("1.2.3.5"), from("127.0.0.6")
	met := 0
	callers := func(source Source, n int) {
		for range n {
			met++
			for range 3 { // The same caller counts once.
				g.Succeeded(source, "corp", strconv.Itoa(met))
			}
		}
	}
	callers(few, 30)
	callers(many, 200)
	for name, step := range map[string]struct {
		source Source
		want   int
	}{"few callers": {few, 5}, "many callers": {many, 0}, "a mesh": {mesh, 0}, "IPv6 loopback": {from("::1"), 0}} {
		if tooMany := failures(g, step.source, 10); tooMany != step.want {
			t.Errorf("%s: %d times over the budget", name, tooMany)
		}
	}
	c.add(2*window + time.Second)
	if tooMany := failures(g, many, 10); tooMany != 5 {
		t.Errorf("two minutes later: %d times 429", tooMany)
	}
	// A few callers in each of many minutes are not many.
	for range 10 {
		c.add(window)
		callers(few, 20)
	}
	failures(g, few, 10)
	if tooMany := failures(g, few, 1); tooMany != 1 {
		t.Error("callers of different minutes are added up")
	}
}

func TestManySourcesTakeBoundedMemory(t *testing.T) {
	c := newClock()
	g := New(c.now)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	attacker := from("9.9.9.9")
	failures(g, attacker, 10)
	for i := range 300_000 {
		var address [4]byte
		binary.BigEndian.PutUint32(address[:], uint32(1<<24+i))
		g.Failed(Source{address: netip.AddrFrom4(address)}, testBudget)
		if i%1000 == 0 && !g.Failed(attacker, testBudget) {
			t.Fatal("a source that goes on was forgotten")
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	held := 0
	for i := range g.all.shards {
		held += len(g.all.shards[i].entries)
		if len(g.all.shards[i].index) != len(g.all.shards[i].entries) {
			t.Fatal("index and entries do not agree")
		}
	}
	size := int64(after.HeapAlloc) - int64(before.HeapAlloc)
	t.Logf("%d sources take %d bytes", held, size)
	if held > shards*shardSources || size > 16<<20 {
		t.Errorf("%d sources take %d bytes", held, size)
	}
}

func TestOnlySpentSourcesGoThroughTheLane(t *testing.T) {
	g := New(newClock().now)
	g.patience = 100 * time.Millisecond
	good, bad := from("1.2.3.4"), from("1.2.3.5")
	failures(g, bad, 6)
	inside, ok := g.Enter(t.Context(), bad, testBudget)
	if !ok {
		t.Fatal("the lane is free, and nobody is let in")
	}
	for range 3 {
		done, ok := g.Enter(t.Context(), good, testBudget)
		if !ok {
			t.Fatal("a source within its budget waits")
		}
		defer done()
	}
	began := time.Now()
	if _, ok := g.Enter(t.Context(), bad, testBudget); ok {
		t.Error("two are in the lane")
	}
	if time.Since(began) < g.patience {
		t.Error("it did not even wait")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, ok := g.Enter(ctx, bad, testBudget); ok {
		t.Error("who has gone was let in")
	}
	inside()
	again, ok := g.Enter(t.Context(), bad, testBudget)
	if !ok {
		t.Fatal("the lane stays closed behind those who gave up")
	}
	again()
}

func TestSharedSourcesAreLetInInTheEnd(t *testing.T) {
	g := New(newClock().now)
	g.patience = 100 * time.Millisecond
	mesh := from("127.0.0.1")
	failures(g, mesh, 6)
	inside, _ := g.Enter(t.Context(), mesh, testBudget)
	entered := make(chan bool, 1)
	go func() {
		done, ok := g.Enter(t.Context(), mesh, testBudget)
		if ok {
			done()
		}
		entered <- ok
	}()
	select {
	case <-entered:
		t.Fatal("it did not wait")
	case <-time.After(2 * g.patience):
	}
	inside()
	if !<-entered {
		t.Error("refused")
	}
}

// A flood of one source fills the lane for longer than a moment, and among those who wait may be a good token.
func TestPatienceOutlastsAFlood(t *testing.T) {
	g := New(newClock().now)
	source := from("9.9.9.9")
	failures(g, source, 6)
	inside, _ := g.Enter(t.Context(), source, testBudget)
	entered := make(chan bool)
	go func() {
		done, ok := g.Enter(t.Context(), source, testBudget)
		if ok {
			done()
		}
		entered <- ok
	}()
	select {
	case <-entered:
		t.Error("it did not wait for a second")
	case <-time.After(time.Second):
		inside()
		if !<-entered {
			t.Error("refused")
		}
	}
}

// turns lets waiters of several sources through one by one and tells in which order.
func turns(t *testing.T, waiting []string, weights map[string]int) (order string) {
	t.Helper()
	l := newSlowLane()
	leave, _ := l.enter(t.Context(), [16]byte{}, 1, 0)
	in := make(chan string)
	for i, name := range waiting {
		go func() {
			done, _ := l.enter(t.Context(), [16]byte{name[0]}, weights[name], 0)
			in <- name
			done()
		}()
		for deadline := time.Now().Add(time.Minute); ; {
			l.mu.Lock()
			n := 0
			for _, q := range l.turns {
				n += len(q.waiting)
			}
			l.mu.Unlock()
			if n == i+1 {
				break
			}
			if time.Now().After(deadline) {
				t.Fatal("nobody queues")
			}
			runtime.Gosched()
		}
	}
	leave()
	for range waiting {
		order += <-in
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.busy && len(l.turns)+len(l.byKey) > 0 {
		t.Errorf("left behind: %d and %d", len(l.turns), len(l.byKey))
	}
	return order
}

func TestTheLaneIsFair(t *testing.T) {
	ones := map[string]int{"a": 1, "b": 1, "c": 1}
	for _, c := range []struct {
		waiting []string
		weights map[string]int
		want    string
	}{
		{[]string{"a", "a", "a", "a", "b"}, ones, "abaaa"},
		{[]string{"a", "a", "b", "b", "c"}, ones, "abcab"},
		{[]string{"a", "a", "a", "b", "b", "b", "b"}, map[string]int{"a": 1, "b": 3}, "abbbaba"},
	} {
		if got := turns(t, c.waiting, c.weights); got != c.want {
			t.Errorf("%v: got %s, want %s", c.waiting, got, c.want)
		}
	}
}

func TestOneAtATime(t *testing.T) {
	l := newSlowLane()
	var inside, entered int // guarded by the lane alone
	var all sync.WaitGroup
	for i := range 50 {
		all.Go(func() {
			for range 100 {
				leave, ok := l.enter(t.Context(), [16]byte{byte(i % 5)}, 1, time.Duration(i%2)*time.Microsecond)
				if !ok {
					continue
				}
				inside++
				if inside != 1 {
					t.Error("two are in")
				}
				entered++
				inside--
				leave()
			}
		})
	}
	all.Wait()
	if entered < 25*100 || l.busy || len(l.turns) != 0 || len(l.byKey) != 0 {
		t.Errorf("%d entered; busy %t, %d and %d left behind", entered, l.busy, len(l.turns), len(l.byKey))
	}
}
