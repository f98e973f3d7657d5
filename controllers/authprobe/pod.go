package authprobe

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
)

// isAnswering: the pod has an address, and its gate runs.
func isAnswering(pod corev1.Pod) bool {
	return pod.Status.PodIP != "" && slices.ContainsFunc(pod.Status.InitContainerStatuses, func(c corev1.ContainerStatus) bool {
		return c.Name == desired.GateContainer && c.State.Running != nil
	})
}

// instanceOf changes whenever another process answers, or the way to it or its surroundings changed: evidence is about
// one instance.
func instanceOf(pod corev1.Pod) string {
	parts := []string{pod.Status.PodIP}
	for _, status := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses, pod.Status.EphemeralContainerStatuses) {
		parts = append(parts, status.Name+"="+status.ContainerID)
	}
	if pod.DeletionTimestamp != nil {
		parts = append(parts, "ending")
	}
	return strings.Join(parts, ",")
}

// address of one of the gate's ports, as the pod says: the MCPServer may already ask for another.
func address(pod corev1.Pod, port string) (string, error) {
	for _, c := range pod.Spec.InitContainers {
		for _, p := range c.Ports {
			if c.Name == desired.GateContainer && p.Name == port {
				return net.JoinHostPort(pod.Status.PodIP, strconv.Itoa(int(p.ContainerPort))), nil
			}
		}
	}
	return "", fmt.Errorf("pod %s has no port %s", pod.Name, port)
}

// gateOf is the status of the pod's readiness gate; Unknown when it was never set.
func gateOf(pod corev1.Pod) corev1.ConditionStatus { return gateCondition(pod).Status }

func gateCondition(pod corev1.Pod) corev1.PodCondition {
	for _, c := range pod.Status.Conditions {
		if c.Type == v1alpha1.ConditionPodAuthProven {
			return c
		}
	}
	return corev1.PodCondition{Status: corev1.ConditionUnknown}
}

// isVouchedFor: the gate is set because the lock was proven. One that is set for another reason was set by hand, and
// stays: that is how people overrule a prober that errs.
func isVouchedFor(pod corev1.Pod) bool {
	gate := gateCondition(pod)
	return gate.Status == corev1.ConditionTrue && gate.Reason == v1alpha1.ReasonProven
}

func containersReady(pod corev1.Pod) bool {
	return slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.ContainersReady && c.Status == corev1.ConditionTrue
	})
}

// wantedGate: proof sets the gate, an open lock withdraws it, and nothing else touches it. A network that is cut
// between operator and pods must not empty every Service, and a person may set it by hand. What was withdrawn before the
// brake engaged is given back.
func wantedGate(e entry, braked bool) (corev1.ConditionStatus, bool) {
	switch {
	case e.standing == nil:
		return "", false
	case e.standing.grade == proven, e.standing.grade == open && braked && e.withdrawn:
		return corev1.ConditionTrue, true
	case e.standing.grade == open:
		return corev1.ConditionFalse, true
	}
	return "", false
}

// movesGate tells that a readiness gate is to be written. While the brake is engaged none is withdrawn.
func movesGate(pod corev1.Pod, wanted corev1.ConditionStatus, braked bool) bool {
	switch {
	case wanted == corev1.ConditionTrue:
		return !isVouchedFor(pod)
	case gateOf(pod) == corev1.ConditionTrue:
		return isVouchedFor(pod) && !braked
	default:
		return gateOf(pod) != wanted
	}
}

// givenBack is what a gate says that the brake has set again. Its reason is Proven: it goes when the brake lets go.
const givenBack = "Its lock was proven before. It was seen open together with many others, so the prober itself is suspect."

// setGates sets the readiness gates of pods about which this stands, True or False, and notes in entries which it has
// withdrawn.
func (r *Reconciler) setGates(ctx context.Context, to corev1.ConditionStatus, pods []corev1.Pod, entries map[types.UID]entry, braked bool) error {
	for _, pod := range pods {
		e, found := entries[pod.UID]
		status, decided := wantedGate(e, braked)
		if !found || !decided || status != to || !movesGate(pod, status, braked) {
			continue
		}
		reason, message := e.standing.reason, e.standing.message
		if status == corev1.ConditionTrue && e.standing.grade == open {
			reason, message = v1alpha1.ReasonProven, givenBack
		}
		condition := corev1ac.PodCondition().
			WithType(v1alpha1.ConditionPodAuthProven).
			WithStatus(status).
			WithReason(reason).
			WithMessage(message).
			WithLastTransitionTime(metav1.NewTime(r.Now().Truncate(time.Second)))
		object := corev1ac.Pod(pod.Name, pod.Namespace).WithStatus(corev1ac.PodStatus().WithConditions(condition))
		if err := r.Status().Apply(ctx, object, FieldOwner, client.ForceOwnership); client.IgnoreNotFound(err) != nil {
			return fmt.Errorf("set readiness gate of pod %s: %w", pod.Name, err)
		}
		e.withdrawn = e.standing.grade == open && (e.withdrawn || isVouchedFor(pod))
		entries[pod.UID] = e
	}
	return nil
}

// standingOf tells the brake how a server stands.
func standingOf(pods []corev1.Pod, entries map[types.UID]entry) standing {
	how := standsUntried
	for _, pod := range pods {
		switch e := entries[pod.UID]; {
		case e.standing == nil:
		case e.standing.grade != open:
			how = max(how, standsOtherwise)
		case isVouchedFor(pod):
			how = max(how, turnsOpen)
		default:
			how = max(how, standsOpen)
		}
	}
	return how
}
