package authprobe

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
)

// When a pod is tried next, by what is new about it.
func TestArrive(t *testing.T) {
	r := &Reconciler{Now: func() time.Time { return noon }, Jitter: func() float64 { return 0.25 }}
	settings := desired.Probe{Interval: 40 * time.Second}
	unproven, proven := podWithGate("", ""), podWithGate(corev1.ConditionTrue, v1alpha1.ReasonProven)
	planned := noon.Add(20 * time.Second)
	known := func(instance string, generation int64, failing int) entry {
		return entry{due: planned, instance: instance, generation: generation, failing: failing}
	}
	here := instanceOf(unproven)
	for name, c := range map[string]struct {
		known      entry
		seenBefore bool
		pod        corev1.Pod
		want       time.Duration
	}{
		"new":                                    {entry{}, false, unproven, 0},
		"proven before this operator started":    {entry{}, false, proven, 10 * time.Second},
		"nothing is new":                         {known(here, 2, 0), true, unproven, 20 * time.Second},
		"another spec":                           {known(here, 1, 0), true, unproven, 0},
		"another spec, after rounds that failed": {known(here, 1, 9), true, unproven, 0},
		"another process":                        {known("other", 2, 0), true, unproven, 0},
		"another process, after one failure":     {known("other", 2, 1), true, unproven, 2 * time.Second},
		"another process, after three":           {known("other", 2, 3), true, unproven, 8 * time.Second},
		"another process, after many":            {known("other", 2, 1000), true, unproven, 20 * time.Second},
	} {
		got := r.arrive(c.known, c.seenBefore, c.pod, 2, settings)
		if wait := got.due.Sub(noon); wait != c.want || got.instance != here || got.generation != 2 {
			t.Errorf("%s: in %v, want %v", name, wait, c.want)
		}
	}
}

// Evidence is about one set of processes at one address.
func TestInstances(t *testing.T) {
	pod := func(change func(*corev1.Pod)) corev1.Pod {
		p := podWithGate("", "")
		p.Status.PodIP = "10.0.0.1"
		p.Status.InitContainerStatuses = []corev1.ContainerStatus{{Name: "authproxy", ContainerID: "1"}}
		p.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "mcp", ContainerID: "2"}}
		change(&p)
		return p
	}
	before := instanceOf(pod(func(*corev1.Pod) {}))
	for name, c := range map[string]struct {
		change func(*corev1.Pod)
		same   bool
	}{
		"it became ready":          {func(p *corev1.Pod) { p.Status.ContainerStatuses[0].Ready = true }, true},
		"another gate":             {func(p *corev1.Pod) { p.Status.InitContainerStatuses[0].ContainerID = "3" }, false},
		"another server":           {func(p *corev1.Pod) { p.Status.ContainerStatuses[0].ContainerID = "3" }, false},
		"a debugger":               {func(p *corev1.Pod) { p.Status.EphemeralContainerStatuses = []corev1.ContainerStatus{{Name: "d"}} }, false},
		"another address":          {func(p *corev1.Pod) { p.Status.PodIP = "10.0.0.2" }, false},
		"it is on its way out":     {func(p *corev1.Pod) { p.DeletionTimestamp = &p.CreationTimestamp }, false},
		"its readiness gate moved": {func(p *corev1.Pod) { p.Status.Conditions = nil }, true},
	} {
		if got := instanceOf(pod(c.change)) == before; got != c.same {
			t.Errorf("%s: the same: %v", name, got)
		}
	}
}
