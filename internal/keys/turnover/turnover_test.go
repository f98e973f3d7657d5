package turnover_test

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/keys/turnover"
)

var noon = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)

func identify(secret []byte) (string, error) {
	if len(secret) != 3 {
		return "", errors.New("no secret")
	}
	return "id-" + string(secret), nil
}

// world is a server's pods, whose gates load what is stored when they are told to look, and one operator.
type world struct {
	t      *testing.T
	stored map[string][]byte
	now    time.Time
	made   int
	gates  map[string]map[string][]byte // what each has loaded, by pod
	said   map[string]turnover.Pod      // what each said last
	ask    string
}

func newWorld(t *testing.T, pods ...string) *world {
	t.Helper()
	w := &world{t: t, now: noon, gates: map[string]map[string][]byte{}, said: map[string]turnover.Pod{}}
	w.step()
	for _, pod := range pods {
		w.mount(pod)
		w.say(pod)
	}
	return w
}

func (w *world) inputs() turnover.Inputs {
	in := turnover.Inputs{Request: w.ask, Keep: time.Hour, Parked: len(w.gates) == 0, Fresh: func() (turnover.Generation, error) {
		w.made++
		secret := fmt.Appendf(nil, "s%02d", w.made)
		id, err := identify(secret)
		return turnover.Generation{ID: id, Secret: secret}, err
	}}
	for _, pod := range slices.Sorted(maps.Keys(w.gates)) {
		said := w.said[pod]
		said.Name = pod
		in.Pods = append(in.Pods, said)
	}
	return in
}

// step is one look of an operator that knows nothing but what is stored.
func (w *world) step() turnover.Phase {
	w.t.Helper()
	set, found := turnover.Decode(w.stored, w.now, identify)
	var err error
	if found {
		set, err = turnover.Next(set, w.now, w.inputs())
	} else {
		set, err = turnover.New(w.inputs(), w.now)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	if w.stored, err = turnover.Encode(set); err != nil {
		w.t.Fatal(err)
	}
	return set.Phase
}

// mount brings what is stored to a gate.
func (w *world) mount(pod string) { w.gates[pod] = maps.Clone(w.stored) }

// say has the operator hear of it.
func (w *world) say(pod string) {
	out := turnover.Pod{}
	for _, key := range []string{turnover.CurrentKey, turnover.NextKey, turnover.PreviousKey} {
		if id, err := identify(w.gates[pod][key]); err == nil {
			out.Loaded = append(out.Loaded, id)
			if key == turnover.CurrentKey {
				out.Current = id
			}
		}
	}
	w.said[pod] = out
}

func (w *world) wants(phase turnover.Phase, when string) {
	w.t.Helper()
	if got := w.step(); got != phase {
		w.t.Fatalf("%s: %s, want %s", when, got, phase)
	}
	w.opensEachOther(when)
}

// opensEachOther: what any gate seals every other opens.
func (w *world) opensEachOther(when string) {
	w.t.Helper()
	for sealing, a := range w.gates {
		for opening, b := range w.gates {
			opens := slices.ContainsFunc([]string{turnover.CurrentKey, turnover.NextKey, turnover.PreviousKey}, func(key string) bool {
				return string(b[key]) == string(a[turnover.CurrentKey])
			})
			if !opens {
				w.t.Fatalf("%s: gate %s does not open what gate %s seals", when, opening, sealing)
			}
		}
	}
}

func TestTurnoverWaitsForEveryGate(t *testing.T) {
	w := newWorld(t, "a", "b")
	first := string(w.stored[turnover.CurrentKey])
	w.wants(turnover.Resting, "nobody asks")
	w.ask = "one"
	w.wants(turnover.Published, "somebody asks")
	if string(w.stored[turnover.CurrentKey]) != first || w.stored[turnover.NextKey] == nil {
		t.Errorf("published: %q", w.stored)
	}
	w.wants(turnover.Published, "no gate has it")
	w.mount("a")
	w.wants(turnover.Published, "a gate has it, and has not said so")
	w.say("a")
	w.wants(turnover.Published, "one gate has it")
	w.mount("b")
	w.say("b")
	w.now = w.now.Add(time.Minute)
	w.wants(turnover.Switched, "each gate has it")
	if string(w.stored[turnover.PreviousKey]) != first || w.stored[turnover.NextKey] != nil {
		t.Errorf("switched: %q", w.stored)
	}
	w.mount("a")
	w.say("a")
	w.wants(turnover.Switched, "one gate seals with it")
	w.mount("b")
	w.say("b")
	w.wants(turnover.Keeping, "each gate seals with it")
	w.now = w.now.Add(time.Hour - time.Second)
	w.wants(turnover.Keeping, "sessions may still be used")
	w.now = w.now.Add(time.Second)
	w.wants(turnover.Withdrawing, "the time of the previous one is over")
	if w.stored[turnover.PreviousKey] != nil {
		t.Errorf("withdrawn: %q", w.stored)
	}
	w.mount("a")
	w.say("a")
	w.wants(turnover.Withdrawing, "one gate has dropped it")
	w.mount("b")
	w.say("b")
	w.wants(turnover.Resting, "each gate has dropped it")
	w.wants(turnover.Resting, "the request was carried out")
	if w.made != 2 {
		t.Errorf("%d secrets were made", w.made)
	}
	w.ask = "two"
	w.wants(turnover.Published, "somebody asks again")
}

// A pod that comes in the middle of it has what is stored, and holds the step up until it has said so. A parked server has
// nobody to wait for, but where nobody has looked nothing goes on.
func TestTurnoverWithOtherPods(t *testing.T) {
	w := newWorld(t, "a")
	w.ask = "one"
	w.wants(turnover.Published, "somebody asks")
	w.mount("a")
	w.say("a")
	w.mount("b")
	w.wants(turnover.Published, "a pod is new, and has said nothing")
	w.say("b")
	w.wants(turnover.Switched, "it has said so")
	delete(w.gates, "a")
	w.mount("b")
	w.say("b")
	w.wants(turnover.Keeping, "the other pod is gone")
	delete(w.gates, "b")
	w.now = w.now.Add(time.Hour)
	w.wants(turnover.Withdrawing, "parked")
	w.wants(turnover.Resting, "parked")

	set := turnover.Set{Phase: turnover.Published, Next: turnover.Generation{ID: "x", Secret: []byte("xxx")}}
	if got, err := turnover.Next(set, noon, turnover.Inputs{}); err != nil || got.Phase != turnover.Published {
		t.Errorf("where nobody has looked: %+v, %v", got, err)
	}
	old := turnover.Inputs{Pods: []turnover.Pod{{Name: "a"}}}
	for _, phase := range []turnover.Phase{turnover.Published, turnover.Switched, turnover.Withdrawing} {
		set.Phase, set.Withdrawn = phase, "w"
		if got, err := turnover.Next(set, noon, old); err != nil || got.Phase != phase {
			t.Errorf("a gate that says nothing of its secrets is taken for one that is done with %s: %v", phase, err)
		}
		if out := set.Outlook(noon, old); !slices.Equal(out.Pods, []string{"a"}) {
			t.Errorf("%s waits for %v", phase, out.Pods)
		}
	}
}

// Whatever is stored can be read, and goes on without a secret that gates use being lost.
func TestDecode(t *testing.T) {
	const request = `{"phase":"Resting","since":"2026-11-29T11:00:00Z","request":"r"}`
	for name, c := range map[string]struct {
		data  map[string]string
		found bool
		want  turnover.Phase
		since time.Time
	}{
		"nothing":                    {nil, false, "", time.Time{}},
		"too short":                  {map[string]string{"current": "x"}, false, "", time.Time{}},
		"of an older release":        {map[string]string{"current": "aaa"}, true, turnover.Resting, noon},
		"at rest":                    {map[string]string{"current": "aaa", "turnover.json": request}, true, turnover.Resting, noon.Add(-time.Hour)},
		"next by hand":               {map[string]string{"current": "aaa", "next": "bbb"}, true, turnover.Published, noon},
		"previous by hand":           {map[string]string{"current": "aaa", "previous": "bbb"}, true, turnover.Keeping, noon},
		"both by hand":               {map[string]string{"current": "aaa", "next": "ccc", "previous": "bbb"}, true, turnover.Keeping, noon},
		"previous is no secret":      {map[string]string{"current": "aaa", "previous": "b"}, true, turnover.Resting, noon},
		"a record that does not fit": {map[string]string{"current": "aaa", "previous": "bbb", "turnover.json": request}, true, turnover.Keeping, noon},
		"a record that is no JSON":   {map[string]string{"current": "aaa", "next": "bbb", "turnover.json": "{"}, true, turnover.Published, noon},
		"lost what is withdrawn":     {map[string]string{"current": "aaa", "turnover.json": `{"phase":"Withdrawing"}`}, true, turnover.Resting, noon},
	} {
		data := map[string][]byte{}
		for key, value := range c.data {
			data[key] = []byte(value)
		}
		set, found := turnover.Decode(data, noon, identify)
		if found != c.found || set.Phase != c.want || !set.Since.Equal(c.since) {
			t.Errorf("%s: %v %s since %s", name, found, set.Phase, set.Since)
		}
		if !found {
			continue
		}
		again, err := turnover.Encode(set)
		if err != nil {
			t.Fatal(err)
		}
		if second, _ := turnover.Decode(again, noon.Add(time.Minute), identify); second.Phase != set.Phase || second.Request != set.Request ||
			!reflect.DeepEqual(second.Previous, set.Previous) || !reflect.DeepEqual(second.Next, set.Next) {
			t.Errorf("%s: stored and read again it is %+v, was %+v", name, second, set)
		}
	}
}
