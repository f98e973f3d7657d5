package authhealth

import (
	corev1 "k8s.io/api/core/v1"

	"github.com/mcp-gatehouse/gatehouse/internal/podstate"
)

// WantedGate: proof sets the gate, an open lock withdraws it, and nothing else touches it. A network that is cut
// between operator and pods must not empty every Service, and a person may set it by hand. What was withdrawn before the
// circuit breaker tripped is given back.
func WantedGate(e PodFindings, tripped bool) (corev1.ConditionStatus, bool) {
	switch {
	case e.Standing == nil:
		return "", false
	case e.Standing.Grade == Proven, e.Standing.Grade == Open && tripped && e.Withdrawn:
		return corev1.ConditionTrue, true
	case e.Standing.Grade == Open:
		return corev1.ConditionFalse, true
	}
	return "", false
}

// MovesGate tells that a readiness gate is to be written. While the circuit breaker is tripped none is withdrawn.
func MovesGate(pod corev1.Pod, wanted corev1.ConditionStatus, tripped bool) bool {
	switch {
	case wanted == corev1.ConditionTrue:
		return !podstate.IsVouchedFor(pod)
	case podstate.ReadinessGate(pod) == corev1.ConditionTrue:
		return podstate.IsVouchedFor(pod) && !tripped
	default:
		return podstate.ReadinessGate(pod) != wanted
	}
}

// GivenBack is what a gate says that is set again while the breaker is tripped. Its reason is Proven: it goes when the breaker is reset.
const GivenBack = "Its lock was proven before. It was seen open together with many others, so the prober itself is suspect."
