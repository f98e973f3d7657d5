package authhealth

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/podstate"
	"github.com/mcp-gatehouse/gatehouse/internal/probe"
)

func TestDelay(t *testing.T) {
	settings := desired.Probe{Interval: 10 * time.Second}
	if got := (PodFindings{Standing: &good}).Delay(settings, 0); got != 9500*time.Millisecond {
		t.Errorf("proven, least jitter: %v", got)
	}
	if got := (PodFindings{Standing: &good}).Delay(settings, 0.9999); got < 10*time.Second || got > 10500*time.Millisecond {
		t.Errorf("proven, most jitter: %v", got)
	}
	for rounds, want := range map[int]time.Duration{0: time.Second, 1: 2 * time.Second, 3: 8 * time.Second, 4: 10 * time.Second, 1000: 10 * time.Second} {
		if got := (PodFindings{Rounds: rounds}).Delay(settings, 0); got != want {
			t.Errorf("unproven after %d rounds: %v, want %v", rounds, got, want)
		}
	}
}

// What a full round found must not be refuted by a quick check, which does not ask for it.
func TestTier(t *testing.T) {
	seen := func(tier probe.Tier, e Evidence) Observation {
		e.At = noon
		return Observation{Evidence: e, Tier: tier, Basis: "b"}
	}
	for name, c := range map[string]struct {
		rounds []Observation
		basis  string
		after  time.Duration
		want   probe.Tier
	}{
		"a new pod":                              {nil, "b", 0, probe.Full},
		"everything was seen":                    {[]Observation{seen(probe.Full, good)}, "b", time.Minute, probe.Quick},
		"long ago":                               {[]Observation{seen(probe.Full, good)}, "b", 16 * time.Minute, probe.Full},
		"of something else":                      {[]Observation{seen(probe.Full, good)}, "c", time.Minute, probe.Full},
		"a quick check proves no more than that": {[]Observation{seen(probe.Quick, good)}, "b", 0, probe.Full},
		"a full round that failed":               {[]Observation{seen(probe.Full, good), seen(probe.Full, broken)}, "b", 0, probe.Full},
		"a quick check that found it open":       {[]Observation{seen(probe.Full, good), seen(probe.Quick, wideOpen)}, "b", 0, probe.Full},
		"a server that was down":                 {[]Observation{seen(probe.Full, good), seen(probe.Quick, down)}, "b", 0, probe.Quick},
	} {
		var e PodFindings
		for _, o := range c.rounds {
			e.Full = e.Full.renewed(o, 0.5)
		}
		if got := e.Tier(c.basis, noon.Add(c.after)); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// When a pod is tried next, by what is new about it.
func TestArrive(t *testing.T) {
	server := &v1alpha1.MCPServer{}
	server.Spec.AuthProbe = &v1alpha1.AuthProbe{IntervalSeconds: ptr.To(int32(40))}
	server.Generation, server.Status.Renamed = 2, []v1alpha1.RenamedObject{{Name: "x-jwks", NewName: "x-jwks-1"}}
	unproven, proven := podWithGate("", ""), podWithGate(corev1.ConditionTrue, v1alpha1.ReasonProven)
	planned := noon.Add(20 * time.Second)
	known := func(instance string, generation int64, failing int) PodFindings {
		return PodFindings{Due: planned, Instance: instance, Generation: generation, Renames: 1, Failing: failing}
	}
	beforeRename := known(podstate.Instance(unproven), 2, 0)
	beforeRename.Renames = 0
	here := podstate.Instance(unproven)
	for name, c := range map[string]struct {
		known      PodFindings
		seenBefore bool
		pod        corev1.Pod
		want       time.Duration
	}{
		"new":                                    {PodFindings{}, false, unproven, 0},
		"proven before this operator started":    {PodFindings{}, false, proven, 10 * time.Second},
		"nothing is new":                         {known(here, 2, 0), true, unproven, 20 * time.Second},
		"another spec":                           {known(here, 1, 0), true, unproven, 0},
		"another spec, after rounds that failed": {known(here, 1, 9), true, unproven, 0},
		"an object that was spoilt":              {beforeRename, true, unproven, 0},
		"another process":                        {known("other", 2, 0), true, unproven, 0},
		"another process, after one failure":     {known("other", 2, 1), true, unproven, 2 * time.Second},
		"another process, after three":           {known("other", 2, 3), true, unproven, 8 * time.Second},
		"another process, after many":            {known("other", 2, 1000), true, unproven, 20 * time.Second},
	} {
		got := c.known.Arrive(c.seenBefore, c.pod, server, noon, 0.25)
		if wait := got.Due.Sub(noon); wait != c.want || got.Instance != here || got.Generation != 2 {
			t.Errorf("%s: in %v, want %v", name, wait, c.want)
		}
	}
}
