package statusreport

import (
	"cmp"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/docs"
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
}

// Condition is a condition with what the documentation advises.
type Condition struct {
	Type    string                 `json:"type"`
	Status  metav1.ConditionStatus `json:"status"`
	Reason  string                 `json:"reason"`
	Message string                 `json:"message,omitempty"`
	Since   metav1.Time            `json:"since"`
	// Action is what to do about the reason; empty where there is nothing to do, and for reasons that the condition
	// takes from another one.
	Action string `json:"action,omitempty"`
	// Outdated: the condition is about an earlier generation of the spec.
	Outdated bool `json:"outdated,omitempty"`
}

// Evidence is how much of the lock was seen, and when.
type Evidence struct {
	// LastProbeTime is when the last round ended; zero when none did.
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
// it.
type Around struct {
	Pods   []corev1.Pod
	Events []corev1.Event
}

// Of puts together what is known of a server at a time.
func Of(server v1alpha1.MCPServer, around Around, now time.Time) Server {
	out := Server{
		Namespace: server.Namespace, Name: server.Name, Image: server.Spec.Image, GateImage: server.Status.GateImage,
		Replicas: 1, ReadyReplicas: server.Status.ReadyReplicas, ExistingReplicas: server.Status.Replicas,
		ServerInfo: server.Status.ServerInfo, Evidence: evidenceOf(server, now), Keys: server.Status.Keys,
		RoutePending: isRoutePending(server), Events: latest(around.Events),
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
	for _, condition := range server.Status.Conditions {
		out.Conditions = append(out.Conditions, conditionOf(condition, server.Generation))
	}
	slices.SortStableFunc(out.Conditions, func(a, b Condition) int { return cmp.Compare(rank(a.Type), rank(b.Type)) })
	for _, pod := range around.Pods {
		out.Pods = append(out.Pods, podOf(pod, server.UID))
	}
	slices.SortFunc(out.Pods, func(a, b Pod) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// isRoutePending: a route that a gateway has accepted is what the address goes through.
func isRoutePending(server v1alpha1.MCPServer) bool {
	route, address := server.Spec.Route, server.Status.Address
	return route != nil && len(route.Hostnames) > 0 &&
		(address == nil || !strings.HasPrefix(address.URL, "https://"+route.Hostnames[0]+"/"))
}

// order is the one in which a server gets ready.
var order = []string{
	v1alpha1.ConditionReady, v1alpha1.ConditionAccepted, v1alpha1.ConditionKeysReady, v1alpha1.ConditionAvailable,
	v1alpha1.ConditionAuthHealthy, v1alpha1.ConditionReconciling, v1alpha1.ConditionStalled,
}

// rank puts conditions of others last.
func rank(condition string) int {
	if i := slices.Index(order, condition); i >= 0 {
		return i
	}
	return len(order)
}

func conditionOf(c metav1.Condition, generation int64) Condition {
	out := Condition{
		Type: c.Type, Status: c.Status, Reason: c.Reason, Message: c.Message, Since: c.LastTransitionTime,
		Outdated: c.ObservedGeneration != 0 && c.ObservedGeneration != generation,
	}
	if advice, found := docs.ForReason(c.Type, c.Reason); found && advice.Action != "Nothing." {
		out.Action = advice.Action
	}
	return out
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
	if out.LastProbeTime.IsZero() {
		return out
	}
	age := now.Sub(out.LastProbeTime.Time)
	out.AgeSeconds = int64(age.Seconds())
	out.Stale = age > lifetime(server)
	return out
}

// lifetime is staleAfter, or two intervals where those are further apart.
func lifetime(server v1alpha1.MCPServer) time.Duration {
	if probe := server.Spec.AuthProbe; probe != nil && probe.IntervalSeconds != nil {
		return max(staleAfter, 2*time.Duration(*probe.IntervalSeconds)*time.Second)
	}
	return staleAfter
}

// condition is one of the server's conditions; nil when it has none of this type.
func (s Server) condition(kind string) *Condition {
	for i := range s.Conditions {
		if s.Conditions[i].Type == kind {
			return &s.Conditions[i]
		}
	}
	return nil
}
