package mcpserver

import (
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	mcpac "github.com/mcp-gatehouse/gatehouse/api/v1alpha1/applyconfiguration/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
)

// statusOf is the part of the status that this controller owns: all but AuthHealthy and its evidence.
func statusOf(server *v1alpha1.MCPServer, seen observed, gateImage string, wrong *problem, now time.Time) *mcpac.MCPServerStatusApplyConfiguration {
	status := mcpac.MCPServerStatus().
		WithObservedGeneration(server.Generation).
		WithAddress(mcpac.Address().WithURL(desired.URL(server))).
		WithSelector(desired.Selector(server)).
		WithReplicas(0).
		WithReadyReplicas(0).
		WithGateImage(gateImage)
	if seen.deployment != nil {
		status.WithReplicas(seen.deployment.Status.Replicas).WithReadyReplicas(seen.deployment.Status.ReadyReplicas)
	}
	for _, provider := range desired.Resolve(server).Providers {
		for _, key := range seen.keys[provider.Name] {
			status.WithKeys(mcpac.KeyStatus().WithProvider(provider.Name).WithKID(key.ID()).WithAlgorithm(string(key.Algorithm())))
		}
	}
	for _, condition := range conditionsOf(server, seen, wrong, now) {
		status.WithConditions(metav1ac.Condition().
			WithType(condition.Type).
			WithStatus(condition.Status).
			WithReason(condition.Reason).
			WithMessage(condition.Message).
			WithObservedGeneration(condition.ObservedGeneration).
			WithLastTransitionTime(condition.LastTransitionTime))
	}
	return status
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
	parts := []metav1.Condition{
		set(v1alpha1.ConditionAccepted, judgeProblem(v1alpha1.ConditionAccepted, wrong, v1alpha1.ReasonAccepted, "The spec can be carried out.")),
		set(v1alpha1.ConditionKeysReady, judgeProblem(v1alpha1.ConditionKeysReady, wrong, v1alpha1.ReasonKeysPublished, "Every provider has its keys.")),
		set(v1alpha1.ConditionAvailable, judgeAvailable(server, seen)),
		authHealthy(server),
	}
	set(v1alpha1.ConditionReady, judgeReady(parts))
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

// judgeProblem: the condition is False because of the problem, if it is this one's, else True.
func judgeProblem(kind string, wrong *problem, reason, message string) verdict {
	if wrong != nil && wrong.condition == kind {
		return verdict{metav1.ConditionFalse, wrong.reason, wrong.message}
	}
	return verdict{metav1.ConditionTrue, reason, message}
}

func judgeAvailable(server *v1alpha1.MCPServer, seen observed) verdict {
	want := desired.Resolve(server).Replicas
	if want == 0 {
		return verdict{metav1.ConditionTrue, v1alpha1.ReasonScaledToZero, "replicas is 0: the server is parked."}
	}
	var available int32
	if seen.deployment != nil {
		available = seen.deployment.Status.AvailableReplicas
	}
	count := fmt.Sprintf("%d of %d pods serve", available, want)
	if available >= want {
		return verdict{metav1.ConditionTrue, v1alpha1.ReasonPodsAvailable, count + "."}
	}
	if found := diagnose(seen.pods); found != nil {
		return verdict{metav1.ConditionFalse, found.reason, count + "; " + found.message}
	}
	if withdrawn := slices.ContainsFunc(seen.pods, isWithdrawn); withdrawn || overdue(seen) {
		return verdict{metav1.ConditionFalse, v1alpha1.ReasonPodsUnavailable, count + "; the others run and do not become ready."}
	}
	return verdict{metav1.ConditionFalse, v1alpha1.ReasonProgressing, count + "; the others are starting."}
}

// isWithdrawn: the pod runs, and was taken out of the Service because its lock was seen open.
func isWithdrawn(pod corev1.Pod) bool {
	return slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == v1alpha1.ConditionPodAuthProven && c.Status == corev1.ConditionFalse
	})
}

// overdue: the Deployment has given up waiting for progress.
func overdue(seen observed) bool {
	if seen.deployment == nil {
		return false
	}
	for _, condition := range seen.deployment.Status.Conditions {
		if condition.Type == "Progressing" && condition.Status == corev1.ConditionFalse {
			return true
		}
	}
	return false
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

// judgeReady is the first part that is not True, in the order of cause. A parked server is as ready as it can be.
func judgeReady(parts []metav1.Condition) verdict {
	for _, part := range parts {
		if part.Reason == v1alpha1.ReasonScaledToZero {
			return verdict{metav1.ConditionTrue, part.Reason, part.Message}
		}
		if part.Status != metav1.ConditionTrue {
			return verdict{part.Status, part.Reason, part.Message}
		}
	}
	return verdict{metav1.ConditionTrue, v1alpha1.ReasonReady, "The server runs, and its lock was seen to hold on every pod."}
}

// judgeReconciling says what is still under way; an empty reason means nothing.
func judgeReconciling(server *v1alpha1.MCPServer, seen observed) verdict {
	d := seen.deployment
	if d == nil || d.Status.ObservedGeneration < d.Generation {
		return verdict{metav1.ConditionTrue, v1alpha1.ReasonProgressing, "The objects are being brought to the spec."}
	}
	want := desired.Resolve(server).Replicas
	if d.Status.UpdatedReplicas >= want && d.Status.Replicas == d.Status.UpdatedReplicas && d.Status.AvailableReplicas >= want {
		return verdict{}
	}
	message := fmt.Sprintf("%d of %d pods are of the newest revision, %d of them available.", d.Status.UpdatedReplicas, want, d.Status.AvailableReplicas)
	if found := diagnose(seen.pods); found != nil {
		return verdict{metav1.ConditionTrue, found.reason, message + " " + found.message}
	}
	return verdict{metav1.ConditionTrue, v1alpha1.ReasonProgressing, message}
}
