package authprobe

import (
	"strconv"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

func fleetName(n int) types.NamespacedName {
	return types.NamespacedName{Namespace: "fleet", Name: strconv.Itoa(n)}
}

// fleetOf gives a brake that has seen so many servers proven.
func fleetOf(size int) *brake {
	b := &brake{}
	for n := range size {
		b.see(fleetName(n), standsOtherwise, time.Minute, noon)
	}
	return b
}

func TestBrakeEngages(t *testing.T) {
	for name, c := range map[string]struct {
		fleet, turn int
		apart       time.Duration
		how         standing
		want        bool
	}{
		"one of one":                         {1, 1, 0, turnsOpen, false},
		"two of two":                         {2, 2, 0, turnsOpen, false},
		"three of three":                     {3, 3, 0, turnsOpen, true},
		"three of fourteen":                  {14, 3, 0, turnsOpen, true},
		"a fifth is not more than a fifth":   {15, 3, 0, turnsOpen, false},
		"more than a fifth":                  {20, 5, 0, turnsOpen, true},
		"within an interval":                 {3, 3, 30 * time.Second, turnsOpen, true},
		"one after the other":                {3, 3, 31 * time.Second, turnsOpen, false},
		"servers that were open all along":   {3, 3, 0, standsOpen, false},
		"servers that fail in another way":   {3, 3, 0, standsOtherwise, false},
		"servers that were never tried":      {0, 3, 0, standsUntried, false},
		"a large fleet and a large incident": {1000, 201, 0, turnsOpen, true},
	} {
		b, now := fleetOf(c.fleet), noon
		var news int
		for n := range c.turn {
			if _, first := b.see(fleetName(n), c.how, time.Minute, now); first {
				news++
			}
			now = now.Add(c.apart)
		}
		if b.isEngaged() != c.want || (news == 1) != c.want || news > 1 {
			t.Errorf("%s: engaged %v, told %d times, want %v", name, b.isEngaged(), news, c.want)
		}
	}
}

func TestBrakeLetsGo(t *testing.T) {
	engaged := func() *brake {
		b := fleetOf(10)
		for n := range 3 {
			b.see(fleetName(n), turnsOpen, time.Minute, noon)
		}
		if !b.isEngaged() {
			t.Fatal("the brake did not engage")
		}
		return b
	}
	later := noon.Add(time.Hour)
	for name, c := range map[string]struct {
		then func(*brake)
		want bool
	}{
		"time alone does not":          {func(b *brake) { b.see(fleetName(0), standsOpen, time.Minute, later) }, true},
		"seeing it again does not":     {func(b *brake) { b.see(fleetName(0), turnsOpen, time.Minute, later) }, true},
		"a proof does":                 {func(b *brake) { b.see(fleetName(0), standsOtherwise, time.Minute, later) }, false},
		"the end of a server does":     {func(b *brake) { b.forget(fleetName(0), later) }, false},
		"another server's end may not": {func(b *brake) { b.forget(fleetName(9), later) }, true},
		"a fleet that grows does": {func(b *brake) {
			for n := range 5 {
				b.see(fleetName(10+n), standsOtherwise, time.Minute, later)
			}
		}, false},
		"a server that has no pods any more does": {func(b *brake) { b.see(fleetName(0), standsUntried, time.Minute, later) }, false},
	} {
		b := engaged()
		c.then(b)
		if b.isEngaged() != c.want {
			t.Errorf("%s: engaged %v", name, b.isEngaged())
		}
	}

	// What is still open once the brake has let go does not count for a second time.
	b := engaged()
	b.see(fleetName(0), standsOtherwise, time.Minute, later)
	b.see(fleetName(1), standsOpen, time.Minute, later)
	if now, news := b.see(fleetName(3), turnsOpen, time.Minute, later); now || news {
		t.Error("it engaged again over what was open before")
	}
}
