package podstate

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
)

// IsAnswering reports whether the pod has an address, and its gate runs.
func IsAnswering(pod corev1.Pod) bool {
	return pod.Status.PodIP != "" && slices.ContainsFunc(pod.Status.InitContainerStatuses, func(c corev1.ContainerStatus) bool {
		return c.Name == desired.GateContainer && c.State.Running != nil
	})
}

// Instance changes whenever another process answers, or the way to it or what runs beside it changed: evidence is about
// one instance.
func Instance(pod corev1.Pod) string {
	parts := []string{pod.Status.PodIP}
	for _, status := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses, pod.Status.EphemeralContainerStatuses) {
		parts = append(parts, status.Name+"="+status.ContainerID)
	}
	if pod.DeletionTimestamp != nil {
		parts = append(parts, "ending")
	}
	return strings.Join(parts, ",")
}

// Address returns host and port of one of the gate's ports, as the pod says: the MCPServer may already ask for another.
func Address(pod corev1.Pod, port string) (string, error) {
	for _, c := range pod.Spec.InitContainers {
		for _, p := range c.Ports {
			if c.Name == desired.GateContainer && p.Name == port {
				return net.JoinHostPort(pod.Status.PodIP, strconv.Itoa(int(p.ContainerPort))), nil
			}
		}
	}
	return "", fmt.Errorf("pod %s has no port %s", pod.Name, port)
}

// ContainersReady reports whether all containers are ready, whatever the readiness gate says.
func ContainersReady(pod corev1.Pod) bool {
	return slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.ContainersReady && c.Status == corev1.ConditionTrue
	})
}

// IsEnding reports whether the API server knows that a pod ends. A kubelet that ends a pod by itself, because its node shuts
// down or runs out of something, sets no deletion time but the condition DisruptionTarget.
func IsEnding(pod corev1.Pod) bool {
	return pod.DeletionTimestamp != nil || pod.Status.Phase == corev1.PodFailed || pod.Status.Phase == corev1.PodSucceeded ||
		slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool {
			return c.Type == corev1.DisruptionTarget && c.Status == corev1.ConditionTrue
		})
}

// meshProxies are the containers that service meshes put into pods: Istio and Linkerd.
var meshProxies = []string{"istio-proxy", "linkerd-proxy"}

// HasMeshProxy reports whether a mesh proxy runs in the pod, as a container or as a native sidecar.
func HasMeshProxy(pod corev1.Pod) bool {
	return slices.ContainsFunc(slices.Concat(pod.Spec.InitContainers, pod.Spec.Containers), func(c corev1.Container) bool {
		return slices.Contains(meshProxies, c.Name)
	})
}

// ReadinessGate is the status of the pod's readiness gate; Unknown when it was never set.
func ReadinessGate(pod corev1.Pod) corev1.ConditionStatus { return gateCondition(pod).Status }

func gateCondition(pod corev1.Pod) corev1.PodCondition {
	for _, c := range pod.Status.Conditions {
		if c.Type == v1alpha1.ConditionPodAuthProven {
			return c
		}
	}
	return corev1.PodCondition{Status: corev1.ConditionUnknown}
}

// IsVouchedFor reports whether the gate is set because the lock was proven. One that is set for another reason was set by hand, and
// stays: that is how people overrule a prober that errs.
func IsVouchedFor(pod corev1.Pod) bool {
	gate := gateCondition(pod)
	return gate.Status == corev1.ConditionTrue && gate.Reason == v1alpha1.ReasonProven
}

// IsHeldBack reports whether the pod has our readiness gate, and that it is not set.
func IsHeldBack(pod corev1.Pod) bool {
	return slices.ContainsFunc(pod.Spec.ReadinessGates, func(g corev1.PodReadinessGate) bool {
		return g.ConditionType == v1alpha1.ConditionPodAuthProven
	}) && ReadinessGate(pod) != corev1.ConditionTrue
}
