package authhealth

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/probe"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

var (
	defaults    = desired.Resolve(&v1alpha1.MCPServer{})
	startBudget = defaults.StartBudget()
)

var (
	good     = Evidence{Grade: Proven, Reason: v1alpha1.ReasonProven}
	wideOpen = Evidence{Grade: Open, Reason: v1alpha1.ReasonUnauthenticatedAccepted, Message: "let in", Question: "none", Expected: "401", Seen: "200"}
	broken   = Evidence{Grade: Failed, Reason: v1alpha1.ReasonConnectionReset, Message: "reset"}
	bypassed = Evidence{Grade: Failed, Reason: v1alpha1.ReasonBypassReachable, Message: "reached"}
	down     = Evidence{Grade: Unknown, Reason: v1alpha1.ReasonUpstreamUnavailable, Message: "502"}
)

// podWithGate is a ready pod whose readiness gate says this, for this reason; empty for a pod that was never proven.
func podWithGate(gate corev1.ConditionStatus, reason string) corev1.Pod {
	pod := corev1.Pod{}
	pod.Name, pod.UID, pod.CreationTimestamp = "a", "uid", metav1.NewTime(noon.Add(-startBudget))
	pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.ContainersReady, Status: corev1.ConditionTrue}}
	if gate != "" {
		pod.Status.Conditions = append(pod.Status.Conditions, corev1.PodCondition{Type: v1alpha1.ConditionPodAuthProven, Status: gate, Reason: reason})
	}
	return pod
}

// failuresOf are those of a gate that answers a form wrongly.
func failuresOf(t *testing.T) probe.Failures {
	t.Helper()
	return probe.FailuresFor(probe.Failure{Result: probe.Result{Case: probe.Varied, Outcome: probe.Accepted}, Confirmed: true})
}

var thrice = desired.Probe{SuccessThreshold: 1, FailureThreshold: 3, Interval: 30 * time.Second}
