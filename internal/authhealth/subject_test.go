package authhealth

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
)

// A pod of which nothing new is known, because keys are unusable or its rounds do not count, is not proven for ever.
func TestProofDoesNotOutliveItsTime(t *testing.T) {
	pod := corev1.Pod{}
	pod.Name, pod.UID = "a", "uid"
	pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.ContainersReady, Status: corev1.ConditionTrue}}
	for name, c := range map[string]struct {
		interval, age time.Duration // three failures lose a proof
		standing      Evidence
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
		c.standing.At = noon.Add(-c.age)
		findings := Findings{"uid": {Standing: &c.standing}}
		got, keep := Judge(Subjects([]corev1.Pod{pod}, findings, noon, every(c.interval)), false)
		if got.Status != c.status || got.Reason != c.reason || keep {
			t.Errorf("%s: got %s/%s keep=%v, want %s/%s", name, got.Status, got.Reason, keep, c.status, c.reason)
		}
	}
}

// every gives the settings of a server that is looked at that often.
func every(interval time.Duration) desired.Settings {
	settings := defaults
	settings.Probe.Interval = interval
	return settings
}

// A pod that starts is not held against its server until its time for that is over, or once it was proven.
func TestYoungPods(t *testing.T) {
	for name, c := range map[string]struct {
		age  time.Duration
		gate corev1.ConditionStatus
		want bool
	}{
		"new":                       {0, "", true},
		"within its time":           {startBudget - 1, "", true},
		"past it":                   {startBudget, "", false},
		"proven, as another's work": {0, corev1.ConditionTrue, false},
		"seen open":                 {0, corev1.ConditionFalse, true},
	} {
		pod := podWithGate(c.gate, "")
		pod.CreationTimestamp = metav1.NewTime(noon.Add(-c.age))
		if got := Subjects([]corev1.Pod{pod}, nil, noon, defaults)[0]; got.young != c.want || !got.Ready || got.terminating {
			t.Errorf("%s: %+v", name, got)
		}
	}
	ending := podWithGate("", "")
	ending.DeletionTimestamp, ending.Status.Conditions = &metav1.Time{Time: noon}, nil
	if got := Subjects([]corev1.Pod{ending}, nil, noon, defaults)[0]; got.Ready || !got.terminating {
		t.Errorf("on its way out: %+v", got)
	}
}
