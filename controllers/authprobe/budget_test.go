package authprobe

import (
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
)

func TestBudget(t *testing.T) {
	b := newBudget(fullCost)
	if wait := b.take(fullCost, noon); wait != 0 {
		t.Fatalf("the first full round waits %v", wait)
	}
	if wait, want := b.take(beatCost, noon), time.Duration(beatCost)*time.Second/time.Duration(fullCost); wait != want {
		t.Errorf("a beat after it waits %v, want %v", wait, want)
	}
	for range 100 { // asking costs nothing
		b.take(fullCost, noon)
	}
	if wait := b.take(beatCost, noon.Add(100*time.Millisecond)); wait != 0 {
		t.Errorf("a beat that has waited waits %v more", wait)
	}
	// What is not used is not saved up beyond one burst.
	later, rounds := noon.Add(time.Hour), 0
	for b.take(beatCost, later) == 0 {
		rounds++
	}
	if rounds != fullCost/beatCost {
		t.Errorf("%d beats at once", rounds)
	}
	// A cap below the cost of one round slows rounds down, and does not end them.
	small := newBudget(1)
	small.take(fullCost, noon)
	if wait := small.take(costOf(probe.Full, 3), noon.Add(time.Duration(fullCost)*time.Second)); wait != 0 {
		t.Errorf("a full round waits %v", wait)
	}
}

// What can wait leaves enough for a first proof, however often it asks.
func TestBudgetForFirstProofs(t *testing.T) {
	b := newBudget(2 * fullCost)
	rounds := 0
	for b.takeSpare(beatCost, noon) == 0 {
		rounds++
	}
	if rounds != fullCost/beatCost {
		t.Errorf("%d beats at once", rounds)
	}
	missing := beatCost*(rounds+1) - fullCost
	if wait, want := b.takeSpare(beatCost, noon), time.Duration(missing)*time.Second/time.Duration(2*fullCost); wait != want {
		t.Errorf("a further beat waits %v, want %v", wait, want)
	}
	if wait := b.take(fullCost, noon); wait != 0 {
		t.Errorf("a first proof waits %v", wait)
	}
	if wait := b.takeSpare(beatCost, noon.Add(550*time.Millisecond)); wait != 0 {
		t.Errorf("a beat that has waited waits %v more", wait)
	}
	// A cap below the cost of one round must not keep beats waiting for ever.
	small := newBudget(1)
	if wait := small.takeSpare(beatCost, noon); wait != 0 {
		t.Errorf("a beat waits %v", wait)
	}
	if wait := small.takeSpare(fullCost, noon.Add(time.Duration(beatCost)*time.Second)); wait != 0 {
		t.Errorf("a full round waits %v", wait)
	}
}
