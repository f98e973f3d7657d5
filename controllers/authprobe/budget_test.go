package authprobe

import (
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
)

func TestBudget(t *testing.T) {
	b := newBudget(100)
	if wait := b.take(probe.Full, noon); wait != 0 {
		t.Fatalf("the first full round waits %v", wait)
	}
	if wait := b.take(probe.Beat, noon); wait != 50*time.Millisecond {
		t.Errorf("a beat after it waits %v, want 50ms", wait)
	}
	for range 100 { // asking costs nothing
		b.take(probe.Full, noon)
	}
	if wait := b.take(probe.Beat, noon.Add(50*time.Millisecond)); wait != 0 {
		t.Errorf("a beat that has waited waits %v more", wait)
	}
	// What is not used is not saved up beyond one burst.
	later, rounds := noon.Add(time.Hour), 0
	for b.take(probe.Beat, later) == 0 {
		rounds++
	}
	if rounds != 100/beatCost {
		t.Errorf("%d beats at once", rounds)
	}
	// A cap below the cost of one round slows rounds down, and does not end them.
	small := newBudget(1)
	small.take(probe.Full, noon)
	if wait := small.take(probe.Full, noon.Add(fullCost*time.Second)); wait != 0 {
		t.Errorf("a full round waits %v", wait)
	}
}
