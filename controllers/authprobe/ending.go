package authprobe

import (
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/admin"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
)

// unlessEnding is what a round came to: that the gate was told to end alone stands in place of a proof.
func (o observation) unlessEnding(pod corev1.Pod, at time.Time) observation {
	if o.said == nil || o.grade != proven {
		return o
	}
	if alone := endsAlone(pod, *o.said, at); alone != nil {
		alone.server = o.server
		o.evidence = *alone
	}
	return o
}

// endsAlone is the evidence that a gate was told that its pod is ending although the pod is not; nil otherwise. Such a gate
// ends the streams of its clients. It forgets that by itself, unless it is told again.
func endsAlone(pod corev1.Pod, state admin.State, at time.Time) *evidence {
	if !state.Terminating || isEnding(pod) {
		return nil
	}
	return &evidence{
		at: at, grade: unknown, atOnce: true, reason: v1alpha1.ReasonGateTerminating, question: "end of the pod",
		expected: "a gate that was not told of it", seen: "one that was, in a pod that is not being deleted",
		message: fmt.Sprintf("Its gate was told that the pod is ending, and it closes the streams of its clients, but the pod is not being deleted. "+
			"Find out who runs %s %s in container %s (this needs the right to create pods/exec), or delete the pod. The gate clears this state by itself within two minutes or so.",
			authproxy.Program, authproxy.TerminateArg, desired.GateContainer),
	}
}

// isEnding reports whether the API server knows that a pod ends. A kubelet that ends a pod by itself, because its node shuts
// down or runs out of something, sets no deletion time but the condition DisruptionTarget.
func isEnding(pod corev1.Pod) bool {
	return pod.DeletionTimestamp != nil || pod.Status.Phase == corev1.PodFailed || pod.Status.Phase == corev1.PodSucceeded ||
		slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool {
			return c.Type == corev1.DisruptionTarget && c.Status == corev1.ConditionTrue
		})
}
