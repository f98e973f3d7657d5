package circuitbreaker

import (
	"strconv"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func fleetName(n int) types.NamespacedName {
	return types.NamespacedName{Namespace: "fleet", Name: strconv.Itoa(n)}
}

// fleetOf returns a breaker that has seen so many servers proven.
func fleetOf(size int) *Breaker {
	b := &Breaker{}
	for n := range size {
		b.Observe(fleetName(n), NotOpen, time.Minute, noon)
	}
	return b
}

func TestManyServersTurnOpen_Trips(t *testing.T) {
	for name, c := range map[string]struct {
		fleet, turn int
		apart       time.Duration
		how         State
		want        bool
	}{
		"one of one":                         {1, 1, 0, TurnedOpen, false},
		"two of two":                         {2, 2, 0, TurnedOpen, false},
		"three of three":                     {3, 3, 0, TurnedOpen, true},
		"three of fourteen":                  {14, 3, 0, TurnedOpen, true},
		"a fifth is not more than a fifth":   {15, 3, 0, TurnedOpen, false},
		"more than a fifth":                  {20, 5, 0, TurnedOpen, true},
		"within an interval":                 {3, 3, 30 * time.Second, TurnedOpen, true},
		"one after the other":                {3, 3, 31 * time.Second, TurnedOpen, false},
		"servers that were open all along":   {3, 3, 0, Open, false},
		"servers that fail in another way":   {3, 3, 0, NotOpen, false},
		"servers that were never tried":      {0, 3, 0, Untried, false},
		"a large fleet and a large incident": {1000, 201, 0, TurnedOpen, true},
	} {
		b, now := fleetOf(c.fleet), noon
		var news int
		for n := range c.turn {
			if _, first := b.Observe(fleetName(n), c.how, time.Minute, now); first {
				news++
			}
			now = now.Add(c.apart)
		}
		if b.IsTripped() != c.want || (news == 1) != c.want || news > 1 {
			t.Errorf("%s: tripped %v, told %d times, want %v", name, b.IsTripped(), news, c.want)
		}
	}
}

func TestWhatTrippedItIsMended_Resets(t *testing.T) {
	tripped := func() *Breaker {
		b := fleetOf(10)
		for n := range 3 {
			b.Observe(fleetName(n), TurnedOpen, time.Minute, noon)
		}
		if !b.IsTripped() {
			t.Fatal("the breaker did not trip")
		}
		return b
	}
	later := noon.Add(time.Hour)
	for name, c := range map[string]struct {
		then func(*Breaker)
		want bool
	}{
		"time alone does not":          {func(b *Breaker) { b.Observe(fleetName(0), Open, time.Minute, later) }, true},
		"seeing it again does not":     {func(b *Breaker) { b.Observe(fleetName(0), TurnedOpen, time.Minute, later) }, true},
		"a proof does":                 {func(b *Breaker) { b.Observe(fleetName(0), NotOpen, time.Minute, later) }, false},
		"the end of a server does":     {func(b *Breaker) { b.Forget(fleetName(0), later) }, false},
		"another server's end may not": {func(b *Breaker) { b.Forget(fleetName(9), later) }, true},
		"a fleet that grows does": {func(b *Breaker) {
			for n := range 5 {
				b.Observe(fleetName(10+n), NotOpen, time.Minute, later)
			}
		}, false},
		"a server that has no pods any more does": {func(b *Breaker) { b.Observe(fleetName(0), Untried, time.Minute, later) }, false},
	} {
		b := tripped()
		c.then(b)
		if b.IsTripped() != c.want {
			t.Errorf("%s: tripped %v", name, b.IsTripped())
		}
	}

	// What is still open once the breaker was reset does not count for a second time.
	b := tripped()
	b.Observe(fleetName(0), NotOpen, time.Minute, later)
	b.Observe(fleetName(1), Open, time.Minute, later)
	if now, news := b.Observe(fleetName(3), TurnedOpen, time.Minute, later); now || news {
		t.Error("it tripped again over what was open before")
	}
}
