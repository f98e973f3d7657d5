package probebudget

import (
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func TestBudget(t *testing.T) {
	b := New(FullCost)
	if wait := b.Take(FullCost, noon); wait != 0 {
		t.Fatalf("the first full round waits %v", wait)
	}
	due := time.Duration(QuickCost) * time.Second / time.Duration(FullCost)
	if wait := b.Take(QuickCost, noon); wait != due {
		t.Errorf("a quick check after it waits %v, want %v", wait, due)
	}
	for range 100 { // asking costs nothing
		b.Take(FullCost, noon)
	}
	if wait := b.Take(QuickCost, noon.Add(due)); wait != 0 {
		t.Errorf("a quick check that has waited waits %v more", wait)
	}
	// What is not used is not saved up beyond one burst.
	later, rounds := noon.Add(time.Hour), 0
	for b.Take(QuickCost, later) == 0 {
		rounds++
	}
	if rounds != FullCost/QuickCost {
		t.Errorf("%d quick checks at once", rounds)
	}
	// A cap below the cost of one round slows rounds down, and does not end them.
	small := New(1)
	small.Take(FullCost, noon)
	if wait := small.Take(Cost(probe.Full, 3), noon.Add(time.Duration(FullCost)*time.Second)); wait != 0 {
		t.Errorf("a full round waits %v", wait)
	}
}

// What can wait leaves enough for a first proof, however often it asks.
func TestBudgetForFirstProofs(t *testing.T) {
	b := New(2 * FullCost)
	rounds := 0
	for b.TakeSpare(QuickCost, noon) == 0 {
		rounds++
	}
	if rounds != FullCost/QuickCost {
		t.Errorf("%d quick checks at once", rounds)
	}
	missing := QuickCost*(rounds+1) - FullCost
	if wait, want := b.TakeSpare(QuickCost, noon), time.Duration(missing)*time.Second/time.Duration(2*FullCost); wait != want {
		t.Errorf("a further quick check waits %v, want %v", wait, want)
	}
	if wait := b.Take(FullCost, noon); wait != 0 {
		t.Errorf("a first proof waits %v", wait)
	}
	if wait := b.TakeSpare(QuickCost, noon.Add(550*time.Millisecond)); wait != 0 {
		t.Errorf("a quick check that has waited waits %v more", wait)
	}
	// A cap below the cost of one round must not keep quick checks waiting for ever.
	small := New(1)
	if wait := small.TakeSpare(QuickCost, noon); wait != 0 {
		t.Errorf("a quick check waits %v", wait)
	}
	if wait := small.TakeSpare(FullCost, noon.Add(time.Duration(QuickCost)*time.Second)); wait != 0 {
		t.Errorf("a full round waits %v", wait)
	}
}
