package servicehealth

import (
	"cmp"
	"fmt"
	"net"
	"slices"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/authhealth"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/desired/network"
	"github.com/mcp-gatehouse/gatehouse/internal/podstate"
)

// endpointGrace is how long an endpoint may be strange: pods and EndpointSlices come from two watches, and readiness
// takes a moment from one to the other.
const endpointGrace = 10 * time.Second

// endpointsQuestion names what is asked of EndpointSlices.
const endpointsQuestion = "endpoints"

// Stray is an address to which a Service sends requests that nobody vouches for.
type Stray struct {
	address, what string
	// pod is whose address it is, as far as the EndpointSlice says; empty if it says nothing.
	pod string
	// managed: the EndpointSlice is the control plane's.
	managed bool
	// cure says what to do about it.
	cure string
}

// takesTraffic reports whether requests to the Service may be led to the endpoint: always if it is ready, and if it serves and
// is terminating while no other is ready.
func takesTraffic(endpoint discoveryv1.Endpoint) bool {
	c := endpoint.Conditions
	return ptr.Deref(c.Ready, true) || ptr.Deref(c.Serving, true) && ptr.Deref(c.Terminating, false)
}

// AnyServing reports whether somebody answers at the Service's address.
func AnyServing(endpoints []discoveryv1.EndpointSlice) bool {
	for _, slice := range endpoints {
		for _, endpoint := range slice.Endpoints {
			if takesTraffic(endpoint) {
				return true
			}
		}
	}
	return false
}

// strays lists what takes the Service's requests and is not the gate of a pod of the server whose lock was proven, if its
// readiness gate is asked for; and such gates, where somebody leads to them whom nobody has asked to: he does not keep to
// who is ready.
func strays(server *v1alpha1.MCPServer, endpoints []discoveryv1.EndpointSlice, pods []corev1.Pod) []Stray {
	byAddress := map[string]corev1.Pod{}
	for _, pod := range pods {
		for _, ip := range pod.Status.PodIPs {
			byAddress[ip.IP] = pod
		}
	}
	var found []Stray
	for _, slice := range endpoints {
		for _, endpoint := range slice.Endpoints {
			for _, address := range endpoint.Addresses {
				pod, ours := byAddress[address]
				if what, cure := strange(server, slice, endpoint, address, pod, ours); what != "" {
					found = append(found, Stray{address: address, pod: podOf(endpoint), managed: isControlPlanes(slice), what: what, cure: cure})
				}
			}
		}
	}
	slices.SortFunc(found, func(a, b Stray) int { return cmp.Compare(a.address, b.address) })
	return found
}

// strange says what is wrong with an endpoint, which is the pod's if that is ours; nothing if it is as it should be.
func strange(server *v1alpha1.MCPServer, slice discoveryv1.EndpointSlice, endpoint discoveryv1.Endpoint, address string, pod corev1.Pod, ours bool) (what, cure string) {
	if !takesTraffic(endpoint) {
		return "", ""
	}
	if !ours {
		return fmt.Sprintf("%s%s of EndpointSlice %s, which is no pod of this server", address, named(endpoint), slice.Name),
			"Find out who made it: delete the EndpointSlice or take the Service's labels from that pod."
	}
	if podstate.IsHeldBack(pod) {
		return fmt.Sprintf("pod %s, whose lock was not proven", pod.Name),
			"Find out why: a pod that is not ready takes requests where the Service publishes such, or where the EndpointSlice is not the control plane's."
	}
	if port := besideGate(slice, pod); port != 0 {
		return fmt.Sprintf("port %d of pod %s by EndpointSlice %s, which is not its gate's", port, pod.Name, slice.Name),
			"Find out who made it, and delete the EndpointSlice."
	}
	if !isControlPlanes(slice) && !isFallback(server, slice) {
		return fmt.Sprintf("pod %s by EndpointSlice %s, which neither the control plane nor this operator has made", pod.Name, slice.Name),
			"Find out who made it, and delete it: it leads to that pod whether it is ready or not."
	}
	return "", ""
}

// besideGate is a port of the slice that is none of the gate's for clients in the pod; 0 if it has only these.
func besideGate(slice discoveryv1.EndpointSlice, pod corev1.Pod) int32 {
	for _, port := range slice.Ports {
		number := ptr.Deref(port.Port, 0)
		if number != network.GatePort(pod.Spec, desired.GatePortName) && number != network.GatePort(pod.Spec, desired.FallbackPortName) {
			return number
		}
	}
	return 0
}

// isFallback reports whether the slice is one of the server's own, which controller fallback keeps.
func isFallback(server *v1alpha1.MCPServer, slice discoveryv1.EndpointSlice) bool {
	return slice.Labels[discoveryv1.LabelManagedBy] == network.FallbackManager && metav1.IsControlledBy(&slice, server)
}

func podOf(endpoint discoveryv1.Endpoint) string {
	if endpoint.TargetRef == nil || endpoint.TargetRef.Kind != "Pod" {
		return ""
	}
	return endpoint.TargetRef.Name
}

func named(endpoint discoveryv1.Endpoint) string {
	if endpoint.TargetRef == nil {
		return ""
	}
	return fmt.Sprintf(" (%s %s)", endpoint.TargetRef.Kind, endpoint.TargetRef.Name)
}

// persisting are the addresses that are strange now, and since when.
func persisting(before map[string]time.Time, found []Stray, now time.Time) map[string]time.Time {
	since := map[string]time.Time{}
	for _, s := range found {
		since[s.address] = now
		if first, known := before[s.address]; known {
			since[s.address] = first
		}
	}
	return since
}

// foreign is the evidence that a Service sends requests to strangers, nil if it does not or not for long enough.
func foreign(found []Stray, since map[string]time.Time, now time.Time) *authhealth.ServiceFinding {
	for _, s := range found {
		if now.Sub(since[s.address]) < endpointGrace {
			continue
		}
		return &authhealth.ServiceFinding{Endpoint: s.address, Evidence: authhealth.Evidence{
			At: now, Grade: authhealth.Failed, Reason: v1alpha1.ReasonForeignEndpoint, Question: endpointsQuestion,
			Expected: "proven pods of this server", Seen: s.what,
			Message: fmt.Sprintf("The Service sends requests, and with them tokens, to %s. %s", s.what, s.cure),
		}}
	}
	return nil
}

// Address is where clients of the cluster reach the Service, empty if it has no address of its own.
func Address(service corev1.Service) string {
	if service.Spec.ClusterIP == "" || service.Spec.ClusterIP == corev1.ClusterIPNone {
		return ""
	}
	for _, port := range service.Spec.Ports {
		if port.Name == desired.GatePortName {
			return net.JoinHostPort(service.Spec.ClusterIP, strconv.Itoa(int(port.Port)))
		}
	}
	return ""
}
