package authprobe

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// A pod of which nothing new is known, because keys are unusable or its rounds do not count, is not proven for ever.
func TestProofDoesNotOutliveItsTime(t *testing.T) {
	pod := corev1.Pod{}
	pod.Name, pod.UID = "a", "uid"
	pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.ContainersReady, Status: corev1.ConditionTrue}}
	for name, c := range map[string]struct {
		interval, age time.Duration // three failures lose a proof
		standing      evidence
		status        metav1.ConditionStatus
		reason        string
	}{
		"fresh":                        {30 * time.Second, 3 * time.Minute, good, metav1.ConditionTrue, v1alpha1.ReasonProven},
		"four rounds are missing":      {30 * time.Second, 3*time.Minute + time.Second, good, metav1.ConditionUnknown, v1alpha1.ReasonEvidenceStale},
		"rounds are further apart":     {time.Hour, 4 * time.Hour, good, metav1.ConditionTrue, v1alpha1.ReasonProven},
		"an open lock stays known":     {time.Second, time.Hour, wideOpen, metav1.ConditionFalse, v1alpha1.ReasonUnauthenticatedAccepted},
		"and so does a broken gate":    {time.Second, time.Hour, broken, metav1.ConditionFalse, v1alpha1.ReasonConnectionReset},
		"and a server that went quiet": {time.Second, time.Hour, down, metav1.ConditionUnknown, v1alpha1.ReasonUpstreamUnavailable},
	} {
		c.standing.at = noon.Add(-c.age)
		entries := map[types.UID]entry{"uid": {standing: &c.standing}}
		got, keep := judge(subjects([]corev1.Pod{pod}, entries, noon, desired.Probe{Interval: c.interval, FailureThreshold: 3}), false)
		if got.status != c.status || got.reason != c.reason || keep {
			t.Errorf("%s: got %s/%s keep=%v, want %s/%s", name, got.status, got.reason, keep, c.status, c.reason)
		}
	}
}

func TestNextLook(t *testing.T) {
	r := &Reconciler{Now: func() time.Time { return noon }}
	in := func(wait time.Duration) entry { return entry{due: noon.Add(wait)} }
	for name, c := range map[string]struct {
		entries map[types.UID]entry
		pods    int
		want    time.Duration
	}{
		"no pods":                  {nil, 0, 0},
		"a pod not tried yet":      {nil, 1, time.Minute},
		"the soonest of several":   {map[types.UID]entry{"a": in(20 * time.Second), "b": in(10 * time.Second)}, 2, 10 * time.Second},
		"one that is long overdue": {map[types.UID]entry{"a": in(-time.Hour)}, 1, time.Millisecond},
	} {
		if got := r.untilDue(c.entries, make([]corev1.Pod, c.pods), noon.Add(time.Hour), time.Minute); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
