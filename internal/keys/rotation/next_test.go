package rotation

import (
	"slices"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

const life = time.Hour

// seeing are inputs with one pod that was seen to do this, at any step of the set.
func seeing(in Inputs, set Set, accepts, refuses string) Inputs {
	in.Algorithm, in.Overlap = keys.EdDSA, life
	in.Pods = append(slices.Clone(in.Pods), Pod{
		Name: "pod", Accepts: map[string]int64{accepts: set.Step}, Refuses: map[string]int64{refuses: set.Step},
	})
	return in
}

func begin(t *testing.T) Set {
	t.Helper()
	set, err := New(keys.EdDSA, "first", noon)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func take(t *testing.T, set Set, now time.Time, in Inputs) Set {
	t.Helper()
	next, err := Next(set, now, in)
	if err != nil {
		t.Fatal(err)
	}
	return next
}

// phases of the keys in the order in which they were made; one that is refused everywhere has a dash.
func phases(set Set) []string {
	var out []string
	for _, key := range set.Keys {
		text := string(key.Phase)
		if !key.Refused.IsZero() {
			text += "-"
		}
		out = append(out, text)
	}
	return out
}

func expect(t *testing.T, set Set, want ...string) {
	t.Helper()
	if got := phases(set); !slices.Equal(got, want) {
		t.Fatalf("the keys are %v, want %v", got, want)
	}
}

func TestRotationStepByStep(t *testing.T) {
	set, now := begin(t), noon
	quiet := Inputs{Algorithm: keys.EdDSA, Request: "first"}
	expect(t, take(t, set, now.Add(1e6*time.Hour), quiet), "Signing")

	asked := Inputs{Algorithm: keys.EdDSA, Request: "second"}
	set = take(t, set, now, asked)
	expect(t, set, "Signing", "Published")
	older, newer := set.Keys[0].ID, set.Keys[1].ID
	if got := set.Published(); len(got) != 2 || got[0].ID() != older {
		t.Fatal("the key that signs must be first, and the new one published")
	}

	expect(t, take(t, set, now.Add(24*time.Hour), asked), "Signing", "Published")
	expect(t, take(t, set, now, seeing(Inputs{}, set, older, newer)), "Signing", "Published")
	early := seeing(Inputs{}, Set{Step: set.Step - 1}, newer, "")
	expect(t, take(t, set, now, early), "Signing", "Published")
	late := seeing(asked, set, newer, "")
	late.Pods = append(late.Pods, Pod{Name: "slow"})
	expect(t, take(t, set, now, late), "Signing", "Published")

	late.Pods[1].Overdue = true
	set = take(t, set, now, late)
	expect(t, set, "Retiring", "Signing")
	if got := set.Published(); len(got) != 2 || got[0].ID() != newer {
		t.Fatal("the new key signs, and the old one is still published")
	}
	expect(t, take(t, set, now.Add(life+handover-time.Second), late), "Retiring", "Signing")
	now = now.Add(life + handover)
	set = take(t, set, now, late)
	expect(t, set, "Retired", "Signing")
	if got := set.Published(); len(got) != 1 || got[0].ID() != newer {
		t.Fatal("the old key is published")
	}
	refused := seeing(asked, set, "", older)
	refused.Pods = append(refused.Pods, Pod{Name: "slow", Overdue: true})
	expect(t, take(t, set, now, refused), "Retired", "Signing")
	set = take(t, set, now, seeing(asked, set, "", older))
	expect(t, set, "Retired-", "Signing")
	if got := set.Refused(); len(got) != 1 || got[0].ID() != older {
		t.Error("nobody could ask whether it is still refused")
	}
	expect(t, take(t, set, now, asked), "Retired-", "Signing")
	asked.Revoke = older // it is as gone as it can be
	expect(t, take(t, set, now, asked), "Retired-", "Signing")
}

func TestSchedule(t *testing.T) {
	set := begin(t)
	in := Inputs{Algorithm: keys.EdDSA, Interval: 24 * time.Hour}
	expect(t, take(t, set, noon.Add(24*time.Hour-time.Second), in), "Signing")
	if got := set.Outlook(noon.Add(time.Hour), in); got.After != 23*time.Hour || got.Key.ID != "" {
		t.Errorf("outlook %+v", got)
	}
	expect(t, take(t, set, noon.Add(24*time.Hour), in), "Signing", "Published")
}

func TestParkedServerRotatesWithoutPods(t *testing.T) {
	set := take(t, begin(t), noon, Inputs{Algorithm: keys.EdDSA, Request: "x"})
	expect(t, take(t, set, noon, Inputs{Algorithm: keys.EdDSA, Parked: true}), "Retiring", "Signing")
	expect(t, take(t, set, noon, Inputs{Algorithm: keys.EdDSA}), "Signing", "Published")
}

func TestRevocation(t *testing.T) {
	one := begin(t)
	two := take(t, one, noon, Inputs{Algorithm: keys.EdDSA, Request: "x"})
	three := take(t, two, noon, seeing(Inputs{}, two, two.Keys[1].ID, ""))
	four := take(t, three, noon.Add(life+handover), seeing(Inputs{}, three, "", ""))
	for name, c := range map[string]struct {
		set  Set
		kid  int
		want []string
	}{
		"the key that signs":              {one, 0, []string{"Revoked", "Signing"}},
		"it, while another is published":  {two, 0, []string{"Revoked", "Signing"}},
		"a published key":                 {two, 1, []string{"Signing", "Revoked", "Published"}},
		"a retiring key":                  {three, 0, []string{"Revoked", "Signing"}},
		"the new key during its overlap":  {three, 1, []string{"Retiring", "Revoked", "Signing"}},
		"a retired key that may be taken": {four, 0, []string{"Revoked", "Signing"}},
	} {
		t.Run(name, func(t *testing.T) {
			kid := c.set.Keys[c.kid].ID
			in := Inputs{Algorithm: keys.EdDSA, Overlap: life, Revoke: kid, Request: "another"}
			set := take(t, c.set, noon, in)
			expect(t, set, c.want...)
			for _, key := range set.Published() {
				if key.ID() == kid {
					t.Error("a revoked key is published")
				}
			}
			if out := set.Outlook(noon, in); out.Key.ID != kid || !out.Unseen {
				t.Errorf("what is waited for first is %+v", out)
			}
			expect(t, take(t, set, noon, in), c.want...) // once, and nothing else begins meanwhile
			set = take(t, set, noon, seeing(in, set, "", kid))
			if key, _ := set.Find(kid); key.Refused.IsZero() || key.Phase != Revoked {
				t.Errorf("after every pod has refused it: %+v", key)
			}
		})
	}
}

func TestRecordsAreBounded(t *testing.T) {
	set := begin(t)
	for range 3 * maxRecords {
		in := Inputs{Algorithm: keys.EdDSA, Revoke: set.Keys[set.in(Signing)].ID, Parked: true}
		set = take(t, take(t, set, noon, in), noon, in)
	}
	if len(set.Keys) != maxRecords+1 {
		t.Errorf("%d keys and records", len(set.Keys))
	}
	for i, key := range set.Keys {
		if key.forgotten() != (i < maxRecords-1) {
			t.Errorf("key %d of %d: forgotten %v", i, len(set.Keys), key.forgotten())
		}
	}
}

func TestUnknownAlgorithmChangesNothing(t *testing.T) {
	set := begin(t)
	got, err := Next(set, noon, Inputs{Algorithm: "none", Request: "x"})
	if err == nil || got.Step != set.Step || got.Request != set.Request {
		t.Errorf("%+v, %v", got, err)
	}
}
