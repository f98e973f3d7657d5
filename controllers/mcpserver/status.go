package mcpserver

import (
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	mcpac "github.com/mcp-gatehouse/gatehouse/api/v1alpha1/applyconfiguration/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/diagnosis"
)

// maxKeyStatuses is what the schema allows.
const maxKeyStatuses = 64

// statusOf is the part of the status that this controller owns: all but AuthHealthy and its evidence.
func statusOf(server *v1alpha1.MCPServer, seen observed, gateImage string, wrong *problem, now time.Time) *mcpac.MCPServerStatusApplyConfiguration {
	status := mcpac.MCPServerStatus().
		WithObservedGeneration(server.Generation).
		WithAddress(mcpac.Address().WithURL(desired.URL(server, seen.routeAccepted))).
		WithSelector(desired.Selector(server)).
		WithReplicas(0).
		WithReadyReplicas(0).
		WithGateImage(gateImage)
	if seen.deployment != nil {
		status.WithReplicas(seen.deployment.Status.Replicas).WithReadyReplicas(seen.deployment.Status.ReadyReplicas)
	}
	statuses := keyStatuses(server, seen, wrong == nil)
	status.WithKeys(statuses[:min(len(statuses), maxKeyStatuses)]...)
	for _, condition := range conditionsOf(server, seen, wrong, now) {
		status.WithConditions(Applied(condition))
	}
	return status
}

// Applied is a condition as it is applied.
func Applied(c metav1.Condition) *metav1ac.ConditionApplyConfiguration {
	return metav1ac.Condition().WithType(c.Type).WithStatus(c.Status).WithReason(c.Reason).WithMessage(c.Message).
		WithObservedGeneration(c.ObservedGeneration).WithLastTransitionTime(c.LastTransitionTime)
}

// keyStatuses tells of the keys of every provider that the operator sees, and nothing of a step that was not stored.
func keyStatuses(server *v1alpha1.MCPServer, seen observed, stored bool) []*mcpac.KeyStatusApplyConfiguration {
	var out []*mcpac.KeyStatusApplyConfiguration
	for _, provider := range desired.Resolve(server).Providers {
		for _, key := range seen.public[provider.Name] {
			out = append(out, mcpac.KeyStatus().WithProvider(provider.Name).WithKID(key.ID).WithAlgorithm(string(key.Algorithm)).
				WithObservedPods(loadedBy(server, seen, provider.Name, key.ID)))
		}
	}
	for _, t := range seen.turns {
		out = append(out, t.statuses(stored)...)
	}
	return out
}

// loadedBy is how many pods have a key loaded. While some have yet to tell, such as all after a start of the operator,
// what status says stands.
func loadedBy(server *v1alpha1.MCPServer, seen observed, provider, kid string) int32 {
	now := seen.loaded[provider][kid]
	for _, key := range server.Status.Keys {
		if key.Provider == provider && key.KID == kid && key.ObservedPods != nil && !seen.allTold {
			return max(now, min(*key.ObservedPods, int32(len(seen.pods)))) //nolint:gosec // a count of pods
		}
	}
	return now
}

// conditionsOf are the conditions that this controller owns. Reconciling and Stalled are there only while True.
func conditionsOf(server *v1alpha1.MCPServer, seen observed, wrong *problem, now time.Time) []metav1.Condition {
	all := slices.Clone(server.Status.Conditions)
	var owned []string
	set := func(kind string, v verdict) metav1.Condition {
		meta.SetStatusCondition(&all, metav1.Condition{
			Type: kind, Status: v.status, Reason: v.reason, Message: v.message,
			ObservedGeneration: server.Generation, LastTransitionTime: metav1.NewTime(now),
		})
		owned = append(owned, kind)
		return *meta.FindStatusCondition(all, kind)
	}
	parked := desired.Resolve(server).Replicas == 0
	parts := []metav1.Condition{
		set(v1alpha1.ConditionAccepted, judgeAccepted(wrong)),
		set(v1alpha1.ConditionKeysReady, judgeKeys(server, seen, wrong, now)),
		set(v1alpha1.ConditionAvailable, judgeAvailable(server, seen, now)),
		authHealthy(server),
	}
	set(v1alpha1.ConditionReady, judgeReady(parts, parked))
	if wrong != nil {
		set(v1alpha1.ConditionStalled, verdict{metav1.ConditionTrue, wrong.reason, wrong.message})
	} else if v := judgeReconciling(server, seen); v.reason != "" {
		set(v1alpha1.ConditionReconciling, v)
	}
	return slices.DeleteFunc(all, func(c metav1.Condition) bool { return !slices.Contains(owned, c.Type) })
}

// verdict is what a condition says.
type verdict struct {
	status          metav1.ConditionStatus
	reason, message string
}

func judgeAccepted(wrong *problem) verdict {
	if wrong != nil && wrong.condition == v1alpha1.ConditionAccepted {
		return verdict{metav1.ConditionFalse, wrong.reason, wrong.message}
	}
	return verdict{metav1.ConditionTrue, v1alpha1.ReasonAccepted, "The spec can be carried out."}
}

const keysPublished = "Every provider has its keys."

// judgeKeys: a spec that is not carried out has keys of ours only if an earlier one had.
func judgeKeys(server *v1alpha1.MCPServer, seen observed, wrong *problem, now time.Time) verdict {
	_, managed := desired.Resolve(server).Managed()
	switch {
	case wrong != nil && wrong.condition == v1alpha1.ConditionKeysReady:
		return verdict{metav1.ConditionFalse, wrong.reason, wrong.message}
	case wrong != nil && managed && seen.versions[desired.KeysSecretName(server)] == "":
		return verdict{metav1.ConditionFalse, v1alpha1.ReasonKeysPending, "No key is made before the spec can be carried out."}
	}
	rotates := judgeRotation(seen.turns, wrong == nil, now)
	lacks := judgeMissing(server, seen.missing, len(seen.pods), now)
	turns := judgeTurnover(seen.secretTurn, wrong == nil, now)
	switch {
	case rotates.status == metav1.ConditionFalse:
		return rotates
	case lacks.reason != "":
		return lacks
	case rotates.reason != "":
		rotates.message = joined(rotates.message, []string{turns.message})
		return rotates
	case turns.reason != "":
		return turns
	}
	return verdict{metav1.ConditionTrue, v1alpha1.ReasonKeysPublished, keysPublished + notUsed(seen.faulty)}
}

// notUsed tells of keys that are at fault; the first few stand for all.
func notUsed(faulty []string) string {
	const told = 5
	switch {
	case len(faulty) == 0:
		return ""
	case len(faulty) > told:
		return fmt.Sprintf(" %d keys are at fault and not used: %s; and others.", len(faulty), strings.Join(faulty[:told], "; "))
	default:
		return " Not used, as they are at fault: " + strings.Join(faulty, "; ") + "."
	}
}

func judgeAvailable(server *v1alpha1.MCPServer, seen observed, now time.Time) verdict {
	want := desired.Resolve(server).Replicas
	if want == 0 {
		return verdict{metav1.ConditionTrue, v1alpha1.ReasonScaledToZero, "The server is parked: replicas is 0."}
	}
	var available int32
	if seen.deployment != nil {
		available = seen.deployment.Status.AvailableReplicas
	}
	count := fmt.Sprintf("%d of %d pods serve", available, want)
	if available >= want {
		return verdict{metav1.ConditionTrue, v1alpha1.ReasonPodsAvailable, count + "."}
	}
	if found := diagnose(server, seen); found != nil {
		return verdict{metav1.ConditionFalse, found.reason, count + "; " + diagnosis.Sentence(found.message)}
	}
	for _, pod := range seen.pods {
		late := now.Sub(pod.CreationTimestamp.Time) > desired.StartBudget && podCondition(pod, corev1.PodReady) != corev1.ConditionTrue
		// Withdrawn: its lock was seen open.
		if withdrawn := podCondition(pod, v1alpha1.ConditionPodAuthProven) == corev1.ConditionFalse; late || withdrawn {
			return verdict{metav1.ConditionFalse, v1alpha1.ReasonPodsUnavailable, fmt.Sprintf(
				"%s; pod %s runs and does not become ready: the condition AuthHealthy says why.", count, pod.Name)}
		}
	}
	return verdict{metav1.ConditionFalse, v1alpha1.ReasonProgressing, count + "; the others are starting, or wait for the first proof of their lock."}
}

func podCondition(pod corev1.Pod, kind corev1.PodConditionType) corev1.ConditionStatus {
	for _, c := range pod.Status.Conditions {
		if c.Type == kind {
			return c.Status
		}
	}
	return corev1.ConditionUnknown
}

// authHealthy is the evidence so far; the authprobe controller owns it.
func authHealthy(server *v1alpha1.MCPServer) metav1.Condition {
	if found := meta.FindStatusCondition(server.Status.Conditions, v1alpha1.ConditionAuthHealthy); found != nil {
		return *found
	}
	return metav1.Condition{
		Type: v1alpha1.ConditionAuthHealthy, Status: metav1.ConditionUnknown,
		Reason: v1alpha1.ReasonNotYetProbed, Message: "The lock was not tried yet.",
	}
}

// judgeReady is the first part that is not True, in the order of cause. A parked server is as ready as it can be: nobody
// can know of its lock, unless a pod that has yet to end was seen open.
func judgeReady(parts []metav1.Condition, parked bool) verdict {
	for _, part := range parts {
		if part.Status == metav1.ConditionTrue || (parked && part.Status == metav1.ConditionUnknown) {
			continue
		}
		return verdict{part.Status, part.Reason, part.Message}
	}
	if parked {
		return verdict{metav1.ConditionTrue, v1alpha1.ReasonScaledToZero, "The server is parked: replicas is 0."}
	}
	return verdict{metav1.ConditionTrue, v1alpha1.ReasonReady, "The server runs, and its lock was seen to hold on every pod."}
}

// judgeReconciling says what is still under way; an empty reason means nothing.
func judgeReconciling(server *v1alpha1.MCPServer, seen observed) verdict {
	d := seen.deployment
	if d == nil || d.Status.ObservedGeneration < d.Generation {
		return verdict{metav1.ConditionTrue, v1alpha1.ReasonProgressing, "The objects are being brought to the spec."}
	}
	if isRolledOut(server, d) {
		if seen.waits == "" {
			return verdict{}
		}
		return verdict{metav1.ConditionTrue, v1alpha1.ReasonUpgradePending, joined(seen.waits, seen.untold)}
	}
	reason := v1alpha1.ReasonProgressing
	message := fmt.Sprintf("%d of %d pods are of the newest revision, %d pods are available",
		d.Status.UpdatedReplicas, desired.Resolve(server).Replicas, d.Status.AvailableReplicas)
	if found := diagnose(server, seen); found != nil {
		reason, message = found.reason, message+"; "+strings.TrimSuffix(diagnosis.Sentence(found.message), ".")
	}
	return verdict{metav1.ConditionTrue, reason, joined(message+".", append(slices.Clip(seen.untold), seen.waits))}
}

// joined puts further sentences behind one.
func joined(first string, more []string) string {
	for _, sentence := range more {
		if sentence != "" {
			first += " " + sentence
		}
	}
	return first
}
