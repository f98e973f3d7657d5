package conditions

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
)

// Verdict is what a condition says.
type Verdict struct {
	Status          metav1.ConditionStatus
	Reason, Message string
}

// True is a verdict that a condition holds.
func True(reason, message string) Verdict { return Verdict{metav1.ConditionTrue, reason, message} }

// False is a verdict that a condition does not hold.
func False(reason, message string) Verdict {
	return Verdict{metav1.ConditionFalse, reason, message}
}

// And puts further sentences behind what the condition says.
func (v Verdict) And(sentences ...string) Verdict {
	for _, sentence := range sentences {
		if sentence != "" {
			v.Message += " " + sentence
		}
	}
	return v
}

// OfPod is the status of a pod's condition; Unknown while the pod has none of that type.
func OfPod(pod corev1.Pod, kind corev1.PodConditionType) corev1.ConditionStatus {
	for _, c := range pod.Status.Conditions {
		if c.Type == kind {
			return c.Status
		}
	}
	return corev1.ConditionUnknown
}

// AuthHealthy is the evidence so far; the authprobe controller owns it.
func AuthHealthy(server *v1alpha1.MCPServer) metav1.Condition {
	if found := meta.FindStatusCondition(server.Status.Conditions, v1alpha1.ConditionAuthHealthy); found != nil {
		return *found
	}
	return metav1.Condition{
		Type: v1alpha1.ConditionAuthHealthy, Status: metav1.ConditionUnknown,
		Reason: v1alpha1.ReasonNotYetProbed, Message: "The lock was not tried yet.",
	}
}
