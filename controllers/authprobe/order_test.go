package authprobe

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
)

// Beats leave enough of the budget for the first proof of a pod, unless they are late themselves.
func TestFirstProofsAreDueBeforeBeats(t *testing.T) {
	r := &Reconciler{Now: func() time.Time { return noon }, Jitter: func() float64 { return 0 }, budget: newBudget(fullCost + beatCost)}
	settings := desired.Probe{Interval: time.Minute}
	beat := func(age time.Duration) *entry {
		return &entry{standing: &evidence{grade: proven, at: noon.Add(-age)}, full: fullProof{until: noon.Add(time.Hour)}}
	}
	due := func(what string, known *entry, want bool) {
		t.Helper()
		if got := r.isDue(known, settings, 1); got != want {
			t.Errorf("%s: due is %v", what, got)
		}
	}
	due("a beat, of a full budget", beat(time.Minute), true)
	due("a second beat", beat(time.Minute), false)
	due("a late beat", beat(2*time.Minute), true)
	due("a first proof, of which a part is gone", &entry{}, false)
	r.budget = newBudget(fullCost + beatCost)
	due("a beat", beat(time.Minute), true)
	due("a second beat", beat(time.Minute), false)
	due("a first proof", &entry{}, true)
}

// Nothing is said of a server that begins, for a while, unless there is something to say.
func TestSilence(t *testing.T) {
	accepted := func(age time.Duration) metav1.Condition {
		return metav1.Condition{Type: v1alpha1.ConditionAccepted, LastTransitionTime: metav1.NewTime(noon.Add(-age))}
	}
	tried := map[types.UID]entry{"a": {standing: &evidence{grade: unknown}}}
	for name, c := range map[string]struct {
		conditions []metav1.Condition
		replicas   *int32
		entries    map[types.UID]entry
		service    serviceView
		want       time.Duration
	}{
		"its pods are sooner known":   {nil, nil, nil, serviceView{}, 10 * time.Second},
		"it begins":                   {[]metav1.Condition{accepted(3 * time.Second)}, nil, map[types.UID]entry{"a": {}}, serviceView{}, 7 * time.Second},
		"it should have begun":        {[]metav1.Condition{accepted(10 * time.Second)}, nil, nil, serviceView{}, 0},
		"there is evidence":           {[]metav1.Condition{accepted(0)}, nil, tried, serviceView{}, 0},
		"its Service leads elsewhere": {[]metav1.Condition{accepted(0)}, nil, nil, serviceView{finding: &serviceFinding{}}, 0},
		"it is parked":                {[]metav1.Condition{accepted(0)}, ptr.To(int32(0)), nil, serviceView{}, 0},
		"something was said before":   {[]metav1.Condition{accepted(0), {Type: v1alpha1.ConditionAuthHealthy}}, nil, nil, serviceView{}, 0},
	} {
		server := &v1alpha1.MCPServer{}
		server.Spec.Replicas, server.Status.Conditions = c.replicas, c.conditions
		if got := silence(server, c.entries, c.service, noon); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
