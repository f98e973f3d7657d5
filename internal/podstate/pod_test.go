package podstate

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
)

// Evidence is about one set of processes at one address.
func TestInstances(t *testing.T) {
	pod := func(change func(*corev1.Pod)) corev1.Pod {
		p := corev1.Pod{}
		p.Status.PodIP = "10.0.0.1"
		p.Status.Conditions = []corev1.PodCondition{{Type: corev1.ContainersReady, Status: corev1.ConditionTrue}}
		p.Status.InitContainerStatuses = []corev1.ContainerStatus{{Name: "authproxy", ContainerID: "1"}}
		p.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "mcp", ContainerID: "2"}}
		change(&p)
		return p
	}
	before := Instance(pod(func(*corev1.Pod) {}))
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
		if got := Instance(pod(c.change)) == before; got != c.same {
			t.Errorf("%s: the same: %v", name, got)
		}
	}
}
