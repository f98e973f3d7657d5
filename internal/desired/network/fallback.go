package network

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	discoveryv1ac "k8s.io/client-go/applyconfigurations/discovery/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
)

// FallbackManager is what EndpointSlices of Fallback have in discoveryv1.LabelManagedBy.
const FallbackManager = "fallback.mcp.gatehouse.dev"

// maxFallbacks bounds the endpoints of one slice: a few gates can tell every client that no server answers.
const maxFallbacks = 100

// Fallback lists the EndpointSlices by which clients of the Service reach a gate while no pod is ready: one for each IP
// family of the Service and each port. They say that the pods are terminating and still serve, which consumers send
// requests to only while no endpoint of the Service is ready (KEP-1669). So they stand all the time, and nobody has to
// notice an outage for them to take effect, nor its end.
//
// The endpoints are at the gates' fallback port: kube-proxy knows an endpoint by address and port, and the one at the
// gate's own port is the control plane's, which says that it is not ready.
func Fallback(s *v1alpha1.MCPServer, service corev1.Service, pods []corev1.Pod) []*discoveryv1ac.EndpointSliceApplyConfiguration {
	at := slices.IndexFunc(service.Spec.Ports, func(p corev1.ServicePort) bool { return p.Name == desired.GatePortName })
	if at < 0 {
		return nil
	}
	var out []*discoveryv1ac.EndpointSliceApplyConfiguration
	for _, family := range service.Spec.IPFamilies {
		byPort := fallbackEndpoints(family, pods)
		for _, port := range slices.Sorted(maps.Keys(byPort)) {
			out = append(out, fallbackSlice(s, service.Spec.Ports[at], family, port, byPort[port]))
		}
	}
	return out
}

func fallbackSlice(s *v1alpha1.MCPServer, port corev1.ServicePort, family corev1.IPFamily, number int32,
	endpoints []*discoveryv1ac.EndpointApplyConfiguration) *discoveryv1ac.EndpointSliceApplyConfiguration {
	all := desired.Labels(s)
	all[discoveryv1.LabelServiceName], all[discoveryv1.LabelManagedBy] = s.Name, FallbackManager
	target := discoveryv1ac.EndpointPort().WithName(port.Name).WithProtocol(corev1.ProtocolTCP).WithPort(number)
	if port.AppProtocol != nil {
		target.WithAppProtocol(*port.AppProtocol)
	}
	return discoveryv1ac.EndpointSlice(fmt.Sprintf("%s-fallback-%s-%d", s.Name, strings.ToLower(string(family)), number), s.Namespace).
		WithLabels(all).
		WithAnnotations(desired.Annotations(s, nil)).
		WithOwnerReferences(desired.Owner(s)).
		WithAddressType(discoveryv1.AddressType(family)).
		WithPorts(target).
		WithEndpoints(endpoints...)
}

// fallbackEndpoints are the gates that may answer in an outage, by the fallback port of their pod.
func fallbackEndpoints(family corev1.IPFamily, pods []corev1.Pod) map[int32][]*discoveryv1ac.EndpointApplyConfiguration {
	out := map[int32][]*discoveryv1ac.EndpointApplyConfiguration{}
	for _, pod := range slices.SortedFunc(slices.Values(pods), func(a, b corev1.Pod) int { return cmp.Compare(a.Name, b.Name) }) {
		address, port := addressOf(pod, family), GatePort(pod.Spec, desired.FallbackPortName)
		if address == "" || port == 0 || !canFallBackOn(pod) || len(out[port]) == maxFallbacks {
			continue
		}
		endpoint := discoveryv1ac.Endpoint().
			WithAddresses(address).
			WithConditions(discoveryv1ac.EndpointConditions().WithReady(false).WithServing(true).WithTerminating(true)).
			WithTargetRef(corev1ac.ObjectReference().WithKind("Pod").WithNamespace(pod.Namespace).WithName(pod.Name).WithUID(pod.UID))
		if pod.Spec.NodeName != "" {
			endpoint.WithNodeName(pod.Spec.NodeName) // Policies for local traffic go by it.
		}
		out[port] = append(out[port], endpoint)
	}
	return out
}

// canFallBackOn reports whether clients may be led to the pod although its server may be down: its lock was proven, and
// its gate runs. Whether the gate is ready says nothing here: it is not while its server does not listen.
func canFallBackOn(pod corev1.Pod) bool {
	ended := pod.DeletionTimestamp != nil || pod.Status.Phase == corev1.PodFailed || pod.Status.Phase == corev1.PodSucceeded
	return !ended && isTrue(pod, v1alpha1.ConditionPodAuthProven) && !isNodeLost(pod) &&
		slices.ContainsFunc(pod.Status.InitContainerStatuses, func(c corev1.ContainerStatus) bool {
			return c.Name == desired.GateContainer && c.State.Running != nil && (c.Started == nil || *c.Started)
		})
}

// isNodeLost reports whether the control plane has called the pod not ready in the kubelet's place: by all that the
// kubelet said last, it is ready. What was said of its containers is as old as that.
func isNodeLost(pod corev1.Pod) bool {
	for _, gate := range pod.Spec.ReadinessGates {
		if !isTrue(pod, gate.ConditionType) {
			return false
		}
	}
	return isTrue(pod, corev1.ContainersReady) && slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status != corev1.ConditionTrue
	})
}

func isTrue(pod corev1.Pod, condition corev1.PodConditionType) bool {
	return slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == condition && c.Status == corev1.ConditionTrue
	})
}

// GatePort is the number of a port of the gate of a pod, by its name; 0 if it has none.
func GatePort(pod corev1.PodSpec, name string) int32 {
	for _, container := range pod.InitContainers {
		for _, port := range container.Ports {
			if desired.IsGate(container) && port.Name == name {
				return port.ContainerPort
			}
		}
	}
	return 0
}

// addressOf is the pod's address of a family; empty if it has none that an EndpointSlice can hold.
func addressOf(pod corev1.Pod, family corev1.IPFamily) string {
	for _, ip := range pod.Status.PodIPs {
		address, err := netip.ParseAddr(ip.IP)
		if err != nil || address.Is4() != (family == corev1.IPv4Protocol) {
			continue
		}
		// The API server refuses a slice that has one of these.
		if !address.IsLoopback() && !address.IsUnspecified() && !address.IsLinkLocalUnicast() && !address.IsLinkLocalMulticast() {
			return ip.IP
		}
	}
	return ""
}

// EndpointSlice is a slice of Fallback as it is created.
func EndpointSlice(wanted *discoveryv1ac.EndpointSliceApplyConfiguration) (discoveryv1.EndpointSlice, error) {
	var out discoveryv1.EndpointSlice
	err := desired.Convert(wanted, &out)
	return out, err
}
