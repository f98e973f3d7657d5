package rotation

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

// world is all that takes part in a rotation: the files that are stored, what is published, pods that read it when they
// like, an operator that may die at any moment, and people who sign with the key that is first.
type world struct {
	t    *testing.T
	draw *rand.Rand
	now  time.Time
	// stored is the Secret as it is read back, published the ConfigMap.
	stored    Set
	published map[string]bool
	pods      []*simulatedPod
	// asked are questions whose answers the operator has not read yet.
	asked  []func()
	tokens []signed
	in     Inputs
	log    []string
	// signers are the keys that signed until lately, with the time when they stopped.
	signers map[string]time.Time
	revoked map[string]bool
	gone    map[string]bool
}

// simulatedPod is one pod. What was seen of it is in the operator's memory.
type simulatedPod struct {
	Pod
	loaded map[string]bool
}

type signed struct {
	kid    string
	expiry time.Time
}

func newWorld(t *testing.T, seed uint64) *world {
	t.Helper()
	w := &world{
		t: t, draw: rand.New(rand.NewPCG(seed, 0)), now: noon,
		in:      Inputs{Algorithm: keys.EdDSA, Overlap: life, Interval: 3 * time.Hour},
		signers: map[string]time.Time{}, revoked: map[string]bool{}, gone: map[string]bool{},
	}
	w.store(begin(t))
	w.publish()
	for range 3 {
		w.join()
	}
	return w
}

func (w *world) set() Set { return w.stored }

func (w *world) store(set Set) {
	w.t.Helper()
	if set.Step == w.stored.Step {
		return
	}
	jwks, state := encode(w.t, set)
	stored, err := Decode(jwks, state, w.now)
	if err != nil {
		w.t.Fatalf("the stored set cannot be read: %v\n%v", err, w.log)
	}
	w.stored = stored
}

func (w *world) publish() {
	w.published = map[string]bool{}
	for _, key := range w.set().Published() {
		w.published[key.ID()] = true
	}
}

func (w *world) join() {
	w.pods = append(w.pods, &simulatedPod{
		Pod:    Pod{Name: fmt.Sprint("pod-", w.draw.Uint32()), Accepts: map[string]int64{}, Refuses: map[string]int64{}},
		loaded: maps.Clone(w.published),
	})
}

func (w *world) any() *simulatedPod { return w.pods[w.draw.IntN(len(w.pods))] }

// ask puts a question, and leaves its answer for later. The step is read before, as the prober does.
func (w *world) ask() {
	set, p := w.set(), w.any()
	key := set.Keys[w.draw.IntN(len(set.Keys))]
	answer := p.Refuses
	if p.loaded[key.ID] {
		answer = p.Accepts
	}
	w.asked = append(w.asked, func() { answer[key.ID] = max(answer[key.ID], set.Step) })
}

// reconcile takes a step, and dies before or after it is stored, or lives.
func (w *world) reconcile() {
	before := w.set()
	w.in.Pods = nil
	for _, p := range w.pods {
		w.in.Pods = append(w.in.Pods, p.Pod)
	}
	after, err := Next(before, w.now, w.in)
	if err != nil {
		w.t.Fatal(err)
	}
	dies := w.draw.IntN(6)
	if dies == 0 {
		w.forget()
		return
	}
	w.store(after)
	w.checkStep(before, after)
	if dies == 1 {
		w.forget()
		return
	}
	w.publish()
}

// forget is what a new operator knows of pods.
func (w *world) forget() {
	w.asked = nil
	for _, p := range w.pods {
		clear(p.Accepts)
		clear(p.Refuses)
	}
}

func (w *world) sign() {
	kid := w.set().Keys[w.set().in(Signing)].ID
	for other, until := range w.signers {
		// Who read the key right before it stopped signing may still use it.
		if w.now.Sub(until) < handover && !w.revoked[other] && w.draw.IntN(3) == 0 {
			kid = other
		}
	}
	w.tokens = append(w.tokens, signed{kid, w.now.Add(life)})
}

// event lets something happen.
func (w *world) event() {
	kinds := []struct {
		name string
		do   func()
	}{
		{"ask", w.ask}, {"ask", w.ask}, {"ask", w.ask}, {"reconcile", w.reconcile}, {"reconcile", w.reconcile}, {"sign", w.sign},
		{"load", func() { p := w.any(); p.loaded = maps.Clone(w.published) }},
		{"load", func() { p := w.any(); p.loaded = maps.Clone(w.published) }},
		{"time", func() { w.now = w.now.Add(time.Duration(w.draw.Int64N(int64(life / 4)))) }},
		{"second", func() { w.now = w.now.Add(time.Second) }},
		{"answers", func() {
			for _, i := range w.draw.Perm(len(w.asked)) {
				w.asked[i]()
			}
			w.asked = nil
		}},
		{"restart", func() {
			if w.draw.IntN(8) == 0 {
				w.forget()
			}
		}},
		{"pods", func() {
			switch w.draw.IntN(8) {
			case 0:
				w.join()
			case 1:
				if len(w.pods) > 1 {
					w.pods = w.pods[1:]
				}
			case 2:
				w.pods[0].Overdue = len(w.pods) > 1
			}
		}},
		{"request", func() {
			if w.draw.IntN(4) == 0 {
				w.in.Request = fmt.Sprint("request-", w.draw.Uint32())
			}
		}},
	}
	kind := kinds[w.draw.IntN(len(kinds))]
	w.log = append(w.log, kind.name)
	kind.do()
}

// legal are the ways of a key that nobody revokes.
var legal = map[Phase]Phase{Published: Signing, Signing: Retiring, Retiring: Retired}

// checkStep holds one step to what a step may do.
func (w *world) checkStep(before, after Set) {
	w.t.Helper()
	for _, key := range after.Keys {
		was, known := before.Find(key.ID)
		switch {
		case !known && key.Phase != Published && (key.Phase != Signing || len(w.revoked) == 0):
			w.t.Fatalf("a new key is %s at once", key.Phase)
		case known && was.Phase != key.Phase && legal[was.Phase] != key.Phase && key.ID != w.in.Revoke:
			w.t.Fatalf("a key went from %s to %s", was.Phase, key.Phase)
		case known && was.Phase == Signing && key.Phase != Signing:
			w.signers[key.ID] = w.now
		}
		if key.Phase.Withdrawn() && !key.Refused.IsZero() {
			w.gone[key.ID] = true
		}
	}
	signing := after.in(Signing)
	now, was := after.Keys[signing].ID, before.Keys[before.in(Signing)].ID
	if w.gone[now] || w.revoked[now] || was != now && w.signers[now] != (time.Time{}) {
		w.t.Fatalf("a key signs for the second time")
	}
}

// check holds the world to what must always be true.
func (w *world) check() {
	w.t.Helper()
	set := w.set()
	count := map[Phase]int{}
	for _, key := range set.Keys {
		count[key.Phase]++
	}
	if count[Signing] != 1 || len(w.revoked) == 0 && count[Published]+count[Retiring] > 1 {
		w.t.Fatalf("phases %v after %v", count, w.log)
	}
	w.tokens = slices.DeleteFunc(w.tokens, func(s signed) bool { return w.now.After(s.expiry) || w.revoked[s.kid] })
	for _, p := range w.pods {
		for kid := range w.gone {
			if p.loaded[kid] {
				w.t.Fatalf("%s accepts a key that every pod was seen to refuse, after %v", p.Name, w.log)
			}
		}
		if p.Overdue || len(w.revoked) > 0 {
			continue
		}
		if kid := set.Keys[set.in(Signing)].ID; !p.loaded[kid] {
			w.t.Fatalf("%s refuses the key that signs, after %v", p.Name, w.log)
		}
		for _, token := range w.tokens {
			if !p.loaded[token.kid] {
				w.t.Fatalf("%s refuses a token that lives until %s, after %v", p.Name, token.expiry.Sub(w.now), w.log)
			}
		}
	}
}

// settle lets everybody do their part, without mishap, until nothing is under way.
func (w *world) settle() {
	w.in.Request, w.in.Interval = "", 0
	for range 200 {
		set := w.set()
		if set.isResting() {
			return
		}
		w.publish()
		for _, p := range w.pods {
			p.loaded = maps.Clone(w.published)
			for _, key := range set.Keys {
				answer := p.Refuses
				if p.loaded[key.ID] {
					answer = p.Accepts
				}
				answer[key.ID] = set.Step
			}
		}
		w.now = w.now.Add(life)
		w.reconcile()
	}
	w.t.Fatalf("the rotation does not end: %v", phases(w.set()))
}

// TestNoTokenIsRefusedWhateverHappens lets pods be slow, answers come late and out of order, operators die between any
// two steps, and pods come and go.
func TestNoTokenIsRefusedWhateverHappens(t *testing.T) {
	finished := 0
	for seed := range uint64(150) {
		w := newWorld(t, seed)
		for range 600 {
			w.event()
			w.check()
		}
		w.settle()
		finished += len(w.gone)
	}
	if finished < 150 {
		t.Errorf("only %d keys were replaced to the end: this tries nothing", finished)
	}
	t.Logf("%d keys were replaced to the end", finished)
}

// TestARevokedKeyStaysOut revokes keys of any phase at any time.
func TestARevokedKeyStaysOut(t *testing.T) {
	for seed := range uint64(100) {
		w := newWorld(t, seed)
		for range 300 {
			if set := w.set(); w.draw.IntN(40) == 0 {
				w.in.Revoke = set.Keys[w.draw.IntN(len(set.Keys))].ID
				if key, _ := set.Find(w.in.Revoke); !key.Phase.Withdrawn() {
					w.revoked[key.ID] = true
					next, err := Next(set, w.now, w.in)
					if err != nil {
						t.Fatal(err)
					}
					w.checkStep(set, next)
					w.store(next)
				}
			}
			w.event()
			w.check()
			for _, key := range w.set().Published() {
				if w.revoked[key.ID()] {
					t.Fatal("a revoked key is to be published")
				}
			}
		}
		w.settle()
		for kid := range w.revoked {
			for _, p := range w.pods {
				if p.loaded[kid] {
					t.Fatal("a pod accepts a revoked key")
				}
			}
		}
	}
}
