package statusreport

import (
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
)

// Server is what there is to know of one MCPServer. Its JSON form is documented in docs/status-command.md.
type Server struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	// Address is where clients reach the gate.
	Address string `json:"address,omitempty"`
	// RoutePending: the spec asks for a route, and no gateway has accepted it yet.
	RoutePending bool   `json:"routePending,omitempty"`
	Image        string `json:"image"`
	// GateImage is that of the current pod template.
	GateImage string `json:"gateImage,omitempty"`
	// Replicas is the number of pods asked for, ReadyReplicas of those that take traffic, ExistingReplicas of those that
	// exist.
	Replicas         int32                  `json:"replicas"`
	ReadyReplicas    int32                  `json:"readyReplicas"`
	ExistingReplicas int32                  `json:"existingReplicas"`
	ServerInfo       *v1alpha1.ServerInfo   `json:"serverInfo,omitempty"`
	Conditions       []Condition            `json:"conditions"`
	Evidence         Evidence               `json:"evidence"`
	Failures         []v1alpha1.AuthFailure `json:"failures,omitempty"`
	Keys             []v1alpha1.KeyStatus   `json:"keys,omitempty"`
	Pods             []Pod                  `json:"pods,omitempty"`
	// Events are the last ones that were sent about the server, the newest first.
	Events []Event `json:"events,omitempty"`
	// Notes say in few words what Ready leaves out.
	Notes []string `json:"notes,omitempty"`
	// NotShown are the resources that the caller may not list: nothing is known of them here.
	NotShown []string `json:"notShown,omitempty"`
}

// Evidence is how much of the lock was seen, and when.
type Evidence struct {
	// LastProbeTime is when the last check ended that the operator has reported; zero when none did. It reports a change at
	// once, and else every ten minutes, so later checks may have ended the same.
	LastProbeTime metav1.Time `json:"lastProbeTime,omitzero"`
	AgeSeconds    int64       `json:"ageSeconds,omitempty"`
	// Stale: nobody has looked for longer than an operator that runs would let pass.
	Stale      bool  `json:"stale"`
	Pods       int32 `json:"pods"`
	ProvenPods int32 `json:"provenPods"`
	// NetworkPolicy tells whether the cluster enforces NetworkPolicies; empty before anybody has looked.
	NetworkPolicy v1alpha1.NetworkPolicyEnforcement `json:"networkPolicy,omitempty"`
	// BareServer is what the server does without its gate; empty where it was not to be asked.
	BareServer v1alpha1.BareServerResult `json:"bareServer,omitempty"`
}

// staleAfter is how old evidence may be at most while an operator runs, which writes it every ten minutes.
const staleAfter = 20 * time.Minute

// Around is what there is in the cluster about a server: the pods of its namespace that have its label, and Events about
// it. NotShown are the resources, Pods or Events, that the caller may not list.
type Around struct {
	Pods     []corev1.Pod
	Events   []corev1.Event
	NotShown []string
}

// What the caller may not be allowed to list.
const (
	Pods   = "pods"
	Events = "events"
)

// Of puts together what is known of a server at a time.
func Of(server v1alpha1.MCPServer, around Around, now time.Time) Server {
	out := Server{
		Namespace: server.Namespace, Name: server.Name, Image: server.Spec.Image, GateImage: server.Status.GateImage,
		Replicas: 1, ReadyReplicas: server.Status.ReadyReplicas, ExistingReplicas: server.Status.Replicas,
		ServerInfo: server.Status.ServerInfo, Evidence: evidenceOf(server, now), Keys: server.Status.Keys,
		RoutePending: isRoutePending(server), Events: latest(around.Events), NotShown: around.NotShown,
	}
	if server.Spec.Replicas != nil {
		out.Replicas = *server.Spec.Replicas
	}
	if server.Status.Address != nil {
		out.Address = server.Status.Address.URL
	}
	if server.Status.AuthHealth != nil {
		out.Failures = server.Status.AuthHealth.Failures
	}
	out.Conditions = conditionsOf(server)
	for _, pod := range around.Pods {
		out.Pods = append(out.Pods, podOf(pod, server))
	}
	slices.SortFunc(out.Pods, func(a, b Pod) int { return strings.Compare(a.Name, b.Name) })
	out.Notes = notesOf(out, now)
	return out
}

// isRoutePending: a route that a gateway has accepted is what the address goes through.
func isRoutePending(server v1alpha1.MCPServer) bool {
	route, address := server.Spec.Route, server.Status.Address
	return route != nil && len(route.Hostnames) > 0 &&
		(address == nil || !strings.HasPrefix(address.URL, "https://"+route.Hostnames[0]+"/"))
}

func evidenceOf(server v1alpha1.MCPServer, now time.Time) Evidence {
	health := server.Status.AuthHealth
	if health == nil {
		return Evidence{}
	}
	out := Evidence{
		LastProbeTime: health.LastProbeTime, Pods: health.Pods, ProvenPods: health.ProvenPods,
		NetworkPolicy: health.NetworkPolicy, BareServer: health.BareServer,
	}
	if !isDated(out.LastProbeTime) {
		return out
	}
	passed := max(0, now.Sub(out.LastProbeTime.Time))
	out.AgeSeconds = int64(passed.Seconds())
	out.Stale = passed > lifetime(server)
	return out
}

// lifetime is staleAfter, or two intervals where those are further apart.
func lifetime(server v1alpha1.MCPServer) time.Duration {
	if probe := server.Spec.AuthProbe; probe != nil && probe.IntervalSeconds != nil {
		return max(staleAfter, 2*time.Duration(*probe.IntervalSeconds)*time.Second)
	}
	return staleAfter
}
