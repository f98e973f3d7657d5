package rollout

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/types"
)

func named(name string) types.NamespacedName {
	namespace, name, _ := strings.Cut(name, "/")
	return types.NamespacedName{Namespace: namespace, Name: name}
}

func stagesOf(members map[string]Stage) map[types.NamespacedName]Stage {
	out := map[types.NamespacedName]Stage{}
	for name, at := range members {
		out[named(name)] = at
	}
	return out
}

func TestNext(t *testing.T) {
	for what, c := range map[string]struct {
		servers map[string]Stage
		places  int
		want    []string
	}{
		"by namespace and name": {map[string]Stage{"b/a": Waiting, "a/z": Waiting, "a/b": Waiting, "a/a": Current}, 2, []string{"a/b", "a/z"}},
		"who is at it, or stuck, has a place": {
			map[string]Stage{"a/a": Running, "a/b": Stuck, "a/c": Waiting, "a/d": Waiting}, 3, []string{"a/c"}},
		"no place":                        {map[string]Stage{"a/a": Stuck, "a/b": Waiting}, 1, nil},
		"fewer places than before":        {map[string]Stage{"a/a": Running, "a/b": Running, "a/c": Waiting}, 1, nil},
		"the degraded come last":          {map[string]Stage{"a/a": Degraded, "a/b": Waiting}, 1, []string{"a/b"}},
		"the degraded come":               {map[string]Stage{"a/a": Degraded, "a/b": Current}, 1, []string{"a/a"}},
		"nobody overtakes who was unseen": {map[string]Stage{"a/a": unseen, "a/b": Waiting}, 1, nil},
		"a place is there for both":       {map[string]Stage{"a/a": unseen, "a/b": Waiting}, 2, []string{"a/b"}},
		"the unseen come before degraded": {map[string]Stage{"a/z": unseen, "a/b": Degraded}, 1, nil},
		"nobody waits":                    {map[string]Stage{"a/a": Current, "a/b": Running}, 5, nil},
	} {
		t.Run(what, func(t *testing.T) {
			var want []types.NamespacedName
			for _, name := range c.want {
				want = append(want, named(name))
			}
			if got := next(stagesOf(c.servers), c.places); !slices.Equal(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
}

// TestAllAreUpgraded plays a whole upgrade of five servers, two at a time, of which one does not get on, and an operator
// that is restarted meanwhile.
func TestAllAreUpgraded(t *testing.T) {
	places := map[types.NamespacedName]bool{}
	f := seeded(t, 2, map[string]bool{"n/a": false, "n/b": false, "n/c": false, "n/d": false, "n/e": false})
	ask := func(name string) bool {
		granted, why := f.Ask(named(name), Waiting)
		if granted == (why != "") {
			t.Errorf("%s: granted %v, why %q", name, granted, why)
		}
		if granted {
			places[named(name)] = true
		}
		if len(places) > 2 {
			t.Errorf("%d are at a time: %v", len(places), places)
		}
		return granted
	}
	end := func(name string) {
		delete(places, named(name))
		f.Set(named(name), Current)
	}
	if ask("n/e") || ask("n/c") {
		t.Error("they go before those that were not looked at")
	}
	if !ask("n/a") || ask("n/d") || !ask("n/b") || !ask("n/a") {
		t.Error("the first two do not go")
	}
	f.Set(named("n/b"), Stuck)
	end("n/a")
	if got := called(f); !slices.Contains(got, "n/c") {
		t.Errorf("called are %v", got)
	}
	if ask("n/d") || !ask("n/c") || !ask("n/b") {
		t.Error("not the third")
	}
	if _, why := f.Ask(named("n/e"), Waiting); !strings.Contains(why, "2 are being upgraded, of which 1 do not get on") {
		t.Errorf("why: %q", why)
	}

	f = seeded(t, 2, map[string]bool{"n/a": false, "n/b": true, "n/c": true, "n/d": false, "n/e": false})
	f.Seen(named("n/a"))
	if ask("n/d") || ask("n/e") || !ask("n/b") || !ask("n/c") {
		t.Error("an operator that is restarted does not know who has a place")
	}
	end("n/c")
	if ask("n/e") || !ask("n/d") {
		t.Error("not the fourth")
	}
	f.Forget(named("n/b"))
	delete(places, named("n/b"))
	if !ask("n/e") {
		t.Error("a server that is gone keeps its place")
	}
}

func seeded(t *testing.T, places int, begun map[string]bool) *Limiter {
	t.Helper()
	f := NewLimiter(places)
	for range 2 { // the second time changes nothing
		err := f.Seed(func() (map[types.NamespacedName]bool, error) {
			out := map[types.NamespacedName]bool{}
			for name, has := range begun {
				out[named(name)] = has
			}
			return out, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		begun = map[string]bool{}
	}
	return f
}

// called are the servers that are to be looked at.
func called(f *Limiter) []string {
	names := map[string]bool{}
	for {
		select {
		case e := <-f.News:
			names[e.Object.GetNamespace()+"/"+e.Object.GetName()] = true
		default:
			return slices.Sorted(maps.Keys(names))
		}
	}
}
