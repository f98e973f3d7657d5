package authprobe

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/admin"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
)

// A pod whose gate cannot serve one provider takes traffic, and nobody says that all is proven.
func TestProviderWithoutKeysIsToldAndKeepsNoPodOut(t *testing.T) {
	seen := evidence{at: noon, grade: proven, reason: v1alpha1.ReasonProven, unserved: []unserved{{"corp", " (the gate could not fetch it: refused)"}}}
	if status, decided := wantedGate(entry{standing: &seen}, false); status != corev1.ConditionTrue || !decided {
		t.Errorf("the readiness gate is to be %q", status)
	}
	whole := evidence{at: noon, grade: proven, reason: v1alpha1.ReasonProven}
	lacking, other := subject{pod: "a", ready: true, standing: &seen}, subject{pod: "b", ready: true, standing: &whole}
	for name, c := range map[string]struct {
		subjects []subject
		status   metav1.ConditionStatus
		reason   string
		words    string
	}{
		"all pods have all keys": {[]subject{other}, metav1.ConditionTrue, v1alpha1.ReasonProven, "1 of 1 pods refused"},
		"one lacks some": {[]subject{lacking, other}, metav1.ConditionUnknown, v1alpha1.ReasonProviderKeysMissing,
			"Provider corp: 1 of 2 pods have no keys for it, among them a (the gate could not fetch it: refused), and answer its tokens with 503 (no_keys)"},
		"one that lacks some is ending": {[]subject{{pod: "a", ready: true, terminating: true, standing: &seen}, other}, metav1.ConditionTrue, v1alpha1.ReasonProven, ""},
		"another is open": {[]subject{lacking, {pod: "c", ready: true, standing: &evidence{grade: open, reason: v1alpha1.ReasonInvalidTokenAccepted}}},
			metav1.ConditionFalse, v1alpha1.ReasonInvalidTokenAccepted, ""},
	} {
		verdict, _ := judge(c.subjects, false)
		got := verdict.serving(c.subjects)
		if got.status != c.status || got.reason != c.reason || !strings.Contains(got.message, c.words) {
			t.Errorf("%s: %s %s %q", name, got.status, got.reason, got.message)
		}
		if lacks := c.reason == v1alpha1.ReasonProviderKeysMissing; lacks != (len(got.failures) == 1 && got.failures[0].Case == "key set of provider corp") {
			t.Errorf("%s: failures %+v", name, got.failures)
		}
	}
}

// That a pod is ending is for the API server to say.
func TestGateThatIsToldToEndAlone(t *testing.T) {
	pod := func(change func(*corev1.Pod)) corev1.Pod {
		out := corev1.Pod{}
		change(&out)
		return out
	}
	for name, c := range map[string]struct {
		pod   corev1.Pod
		state admin.State
		found bool
	}{
		"not told":   {pod(func(*corev1.Pod) {}), admin.State{}, false},
		"told":       {pod(func(*corev1.Pod) {}), admin.State{Terminating: true}, true},
		"deleted":    {pod(func(p *corev1.Pod) { p.DeletionTimestamp = &metav1.Time{Time: noon} }), admin.State{Terminating: true}, false},
		"has failed": {pod(func(p *corev1.Pod) { p.Status.Phase = corev1.PodFailed }), admin.State{Terminating: true}, false},
		"node shuts down": {pod(func(p *corev1.Pod) {
			p.Status.Conditions = []corev1.PodCondition{{Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue}}
		}), admin.State{Terminating: true}, false},
		"was a target": {pod(func(p *corev1.Pod) {
			p.Status.Conditions = []corev1.PodCondition{{Type: corev1.DisruptionTarget, Status: corev1.ConditionFalse}}
		}), admin.State{Terminating: true}, true},
	} {
		got := endsAlone(c.pod, c.state, noon)
		if (got != nil) != c.found || got != nil && (got.grade != unknown || got.reason != v1alpha1.ReasonGateTerminating) {
			t.Errorf("%s: %+v", name, got)
		}
	}
	settings := desired.Probe{Interval: 30 * time.Second, FailureThreshold: 3, SuccessThreshold: 2}
	proof := entry{standing: &evidence{at: noon, grade: proven}}
	told := *endsAlone(corev1.Pod{}, admin.State{Terminating: true}, noon.Add(time.Second))
	if after := proof.next(told, settings); after.standing.reason != v1alpha1.ReasonGateTerminating {
		t.Errorf("the gate said so itself, and %s stands", after.standing.reason)
	}
}
