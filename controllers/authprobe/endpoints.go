package authprobe

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"slices"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/controllers/mcpserver"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
)

// endpointGrace is how long an endpoint may be strange: pods and EndpointSlices come from two watches, and readiness
// takes a moment from one to the other.
const endpointGrace = 10 * time.Second

// endpointsQuestion names what is asked of EndpointSlices.
const endpointsQuestion = "endpoints"

// serviceFinding is evidence against the Service of a server, and the endpoint that it is about.
type serviceFinding struct {
	evidence
	endpoint string
}

// stray is an address to which a Service sends requests that nobody vouches for.
type stray struct {
	address, what string
	// managed: the EndpointSlice is the control plane's.
	managed bool
	// cure says what to do about it.
	cure string
}

// endpointSlices gives all of a Service, whoever made them: kube-proxy asks for no more than the label. In the cache are
// those that the control plane made, which carry the labels of our Service; live asks for the others, too.
func (r *Reconciler) endpointSlices(ctx context.Context, server *v1alpha1.MCPServer, live bool) ([]discoveryv1.EndpointSlice, error) {
	options := []client.ListOption{client.InNamespace(server.Namespace), client.MatchingLabels{discoveryv1.LabelServiceName: server.Name}}
	reader := r.Live
	if !live {
		reader, options = r.Client, append(options, mcpserver.ByServer(server))
	}
	var list discoveryv1.EndpointSliceList
	if err := reader.List(ctx, &list, options...); err != nil {
		return nil, fmt.Errorf("list EndpointSlices: %w", err)
	}
	return list.Items, nil
}

// isServing tells that the endpoint takes requests; without a word on it, it does.
func isServing(endpoint discoveryv1.Endpoint) bool {
	return endpoint.Conditions.Ready == nil || *endpoint.Conditions.Ready
}

// strays lists what takes the Service's requests and is no pod of the server, or one whose lock was not proven although
// its readiness gate is asked for.
func strays(endpoints []discoveryv1.EndpointSlice, pods []corev1.Pod) []stray {
	byAddress := map[string]corev1.Pod{}
	for _, pod := range pods {
		for _, ip := range pod.Status.PodIPs {
			byAddress[ip.IP] = pod
		}
	}
	var found []stray
	for _, slice := range endpoints {
		for _, endpoint := range slice.Endpoints {
			for _, address := range endpoint.Addresses {
				pod, ours := byAddress[address]
				switch {
				case !isServing(endpoint):
				case !ours:
					found = append(found, stray{
						address: address, managed: isControlPlanes(slice),
						what: fmt.Sprintf("%s%s of EndpointSlice %s, which is no pod of this server", address, named(endpoint), slice.Name),
						cure: "Find out who made it: delete the EndpointSlice or take the Service's labels from that pod.",
					})
				case isHeldBack(pod):
					found = append(found, stray{
						address: address, what: fmt.Sprintf("pod %s, whose lock was not proven", pod.Name),
						cure: "Find out why: a pod that is not ready takes requests where the Service publishes such, or where the EndpointSlice is not the control plane's.",
					})
				}
			}
		}
	}
	slices.SortFunc(found, func(a, b stray) int { return cmp.Compare(a.address, b.address) })
	return found
}

func named(endpoint discoveryv1.Endpoint) string {
	if endpoint.TargetRef == nil {
		return ""
	}
	return fmt.Sprintf(" (%s %s)", endpoint.TargetRef.Kind, endpoint.TargetRef.Name)
}

// isHeldBack tells that the pod has our readiness gate, and that it is not set.
func isHeldBack(pod corev1.Pod) bool {
	return slices.ContainsFunc(pod.Spec.ReadinessGates, func(g corev1.PodReadinessGate) bool {
		return g.ConditionType == v1alpha1.ConditionPodAuthProven
	}) && gateOf(pod) != corev1.ConditionTrue
}

// persisting are the addresses that are strange now, and since when.
func persisting(before map[string]time.Time, found []stray, now time.Time) map[string]time.Time {
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
func foreign(found []stray, since map[string]time.Time, now time.Time) *serviceFinding {
	for _, s := range found {
		if now.Sub(since[s.address]) < endpointGrace {
			continue
		}
		return &serviceFinding{endpoint: s.address, evidence: evidence{
			at: now, grade: failed, reason: v1alpha1.ReasonForeignEndpoint, question: endpointsQuestion,
			expected: "proven pods of this server", seen: s.what,
			message: fmt.Sprintf("The Service sends requests, and with them tokens, to %s. %s", s.what, s.cure),
		}}
	}
	return nil
}

// serviceAddress is where clients of the cluster reach the Service, empty if it has no address of its own.
func serviceAddress(service corev1.Service) string {
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
