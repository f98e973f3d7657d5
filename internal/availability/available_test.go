package availability

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/diagnosis"
)

var testTime = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// absentFrom is what the gate of the only pod said of its server.
func absentFrom(uid types.UID, others ...string) map[types.UID]diagnosis.Absence {
	absence := diagnosis.Absence{Port: 8000}
	for _, other := range others {
		absence.Others = append(absence.Others, netip.MustParseAddrPort(other))
	}
	return map[types.UID]diagnosis.Absence{uid: absence}
}

// TestAvailableNamesTheCause: the first message says what is wrong and which field to change, and never sends its reader to a
// condition that sends them back.
func TestAvailableNamesTheCause(t *testing.T) {
	pod := func(age time.Duration, statuses ...corev1.ContainerStatus) corev1.Pod {
		out := corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "x-1", UID: "1", CreationTimestamp: metav1.NewTime(testTime.Add(-age))}}
		out.Status.ContainerStatuses = statuses
		out.Spec.ReadinessGates = []corev1.PodReadinessGate{{ConditionType: v1alpha1.ConditionPodAuthProven}}
		return out
	}
	running := corev1.ContainerStatus{Name: "mcp", State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}}
	ended := corev1.ContainerStatus{Name: "mcp", RestartCount: 1, LastTerminationState: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
		ExitCode: 143, StartedAt: metav1.NewTime(testTime.Add(-121 * time.Second)), FinishedAt: metav1.NewTime(testTime)}}}
	auth := func(reason, message string) metav1.Condition {
		return metav1.Condition{Type: v1alpha1.ConditionAuthHealthy, Status: metav1.ConditionUnknown, Reason: reason, Message: message}
	}
	for name, c := range map[string]struct {
		seen   Seen
		said   metav1.Condition
		reason string
		want   string
	}{
		"nothing was made": {Seen{}, auth(v1alpha1.ReasonNoPods, "circle"), v1alpha1.ReasonProgressing, "0 of 1 pods serve; no pod is made before the spec can be carried out."},
		"no pods yet":      {Seen{Deployment: &appsv1.Deployment{}}, auth(v1alpha1.ReasonNoPods, "circle"), v1alpha1.ReasonProgressing, "0 of 1 pods serve; the pods were not made yet."},
		"starting, on another port": {Seen{Deployment: &appsv1.Deployment{}, Pods: []corev1.Pod{pod(time.Second, running)}, Absences: absentFrom("1", "[::]:3000")},
			metav1.Condition{}, v1alpha1.ReasonProgressing, "pod x-1 is starting, and so far nothing listens on 127.0.0.1:8000 or [::1]:8000; in the pod, others listen on [::]:3000. Set port to 3000"},
		"starting, and nothing listens yet": {Seen{Deployment: &appsv1.Deployment{}, Pods: []corev1.Pod{pod(time.Second, running)}, Absences: absentFrom("1")},
			metav1.Condition{}, v1alpha1.ReasonProgressing, "the others are starting"},
		"killed for its port": {Seen{Deployment: &appsv1.Deployment{}, Pods: []corev1.Pod{pod(time.Hour, ended)}, Absences: absentFrom("1", "[::]:3000")},
			metav1.Condition{}, v1alpha1.ReasonContainerExited, "Meanwhile its gate saw that nothing listens on 127.0.0.1:8000 or [::1]:8000; in the pod, others listen on [::]:3000. Set port to 3000 if that is the server's"},
		"killed as it is slow": {Seen{Deployment: &appsv1.Deployment{}, Pods: []corev1.Pod{pod(time.Hour, ended)}},
			metav1.Condition{}, v1alpha1.ReasonContainerExited, "raise startupSeconds (now 120) if it takes longer to start."},
		"late, and listens nowhere": {Seen{Deployment: &appsv1.Deployment{}, Pods: []corev1.Pod{pod(time.Hour, running)}, Absences: absentFrom("1")},
			auth(v1alpha1.ReasonUpstreamUnavailable, "circle"), v1alpha1.ReasonPodsUnavailable, "If it speaks MCP over stdio, have it serve streamable HTTP"},
		"late, and its lock is not proven": {Seen{Deployment: &appsv1.Deployment{}, Pods: []corev1.Pod{pod(time.Hour, running)}},
			auth(v1alpha1.ReasonProbeCredentialMissing, "Put a token there."), v1alpha1.ReasonPodsUnavailable, "its lock is not proven (ProbeCredentialMissing). Put a token there."},
		"late, and nothing is known of its lock": {Seen{Deployment: &appsv1.Deployment{}, Pods: []corev1.Pod{pod(time.Hour, running)}},
			auth(v1alpha1.ReasonNotYetProbed, "circle"), v1alpha1.ReasonPodsUnavailable, "container mcp is not ready, readiness gate mcp.gatehouse.dev/auth-proven is not True."},
	} {
		got := Judge(&v1alpha1.MCPServer{Status: v1alpha1.MCPServerStatus{Conditions: []metav1.Condition{c.said}}}, c.seen, false, testTime)
		if got.Status != metav1.ConditionFalse || got.Reason != c.reason || !strings.Contains(got.Message, c.want) {
			t.Errorf("%s:\ngot  %s: %s\nwant %s: %s", name, got.Reason, got.Message, c.reason, c.want)
		}
		if strings.Contains(got.Message, "circle") || strings.Contains(got.Message, "condition AuthHealthy") {
			t.Errorf("%s: it leads in a circle: %s", name, got.Message)
		}
	}
}
