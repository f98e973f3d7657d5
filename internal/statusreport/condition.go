package statusreport

import (
	"cmp"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/docs"
)

// Condition is a condition with what the documentation advises.
type Condition struct {
	Type    string                 `json:"type"`
	Status  metav1.ConditionStatus `json:"status"`
	Reason  string                 `json:"reason"`
	Message string                 `json:"message,omitempty"`
	Since   metav1.Time            `json:"since"`
	// Action is what to do about the reason; empty where there is nothing to do, and where the condition that the reason
	// is taken from says it.
	Action string `json:"action,omitempty"`
	// Outdated: the condition is about an earlier generation of the spec.
	Outdated bool `json:"outdated,omitempty"`
}

// order is the one in which a server gets ready.
var order = []string{
	v1alpha1.ConditionReady, v1alpha1.ConditionAccepted, v1alpha1.ConditionKeysReady, v1alpha1.ConditionAvailable,
	v1alpha1.ConditionAuthHealthy, v1alpha1.ConditionClientsRefused, v1alpha1.ConditionReconciling, v1alpha1.ConditionStalled,
}

// bad are the conditions that are True while something is wrong.
var bad = []string{v1alpha1.ConditionClientsRefused, v1alpha1.ConditionReconciling, v1alpha1.ConditionStalled}

// rank puts conditions of others last.
func rank(condition string) int {
	if i := slices.Index(order, condition); i >= 0 {
		return i
	}
	return len(order)
}

// conditionsOf are the conditions of a server in the order in which it gets ready, with advice.
func conditionsOf(server v1alpha1.MCPServer) []Condition {
	var out []Condition
	for _, c := range server.Status.Conditions {
		one := Condition{
			Type: c.Type, Status: c.Status, Reason: c.Reason, Message: c.Message, Since: c.LastTransitionTime,
			Outdated: c.ObservedGeneration != 0 && c.ObservedGeneration != server.Generation,
		}
		if !isDated(one.Since) { // the schema's default, from the moment on that there was a server
			one.Since = server.CreationTimestamp
		}
		out = append(out, one)
	}
	slices.SortStableFunc(out, func(a, b Condition) int { return cmp.Compare(rank(a.Type), rank(b.Type)) })
	for i := range out {
		out[i].Action = actionFor(out[i], out)
	}
	return out
}

// actionFor is what the documentation advises about a condition of a server with such conditions. A summary takes its
// reason, and with it the advice, from another condition: where that one does not say it, the summary does.
func actionFor(c Condition, all []Condition) string {
	sources := []string{c.Type}
	if isSummary(c) && !isRepeated(c, all) {
		sources = append(sources, order...)
	}
	for _, source := range sources {
		if advice, found := docs.ForReason(source, c.Reason); found {
			return strings.TrimSpace(strings.TrimPrefix(advice.Action, "Nothing."))
		}
	}
	return ""
}

// isWell: nothing needs to be done about it.
func (c Condition) isWell() bool {
	return (c.Status == metav1.ConditionTrue) != slices.Contains(bad, c.Type)
}

// isRepeated: Ready, Reconciling and Stalled take their reason from another condition, which has the text.
func isRepeated(c Condition, all []Condition) bool {
	return isSummary(c) && slices.ContainsFunc(all, func(other Condition) bool {
		return other.Reason == c.Reason && !isSummary(other) && !other.isWell()
	})
}

func isSummary(c Condition) bool {
	return slices.Contains([]string{v1alpha1.ConditionReady, v1alpha1.ConditionReconciling, v1alpha1.ConditionStalled}, c.Type)
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
