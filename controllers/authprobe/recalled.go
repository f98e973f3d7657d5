package authprobe

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/probe"
)

// recalled are the questions that failed on a pod by what status says: an operator that has just started knows nothing else,
// and the question may not have its turn for hours.
func recalled(server *v1alpha1.MCPServer, pod corev1.Pod) probe.Failures {
	said := meta.FindStatusCondition(server.Status.Conditions, v1alpha1.ConditionAuthHealthy)
	if said == nil || server.Status.AuthHealth == nil {
		return probe.Failures{}
	}
	var all []probe.Failure
	for _, failure := range server.Status.AuthHealth.Failures {
		if failure.Pod != pod.Name {
			continue
		}
		open := said.Reason == v1alpha1.ReasonInvalidTokenAccepted || said.Reason == v1alpha1.ReasonUnauthenticatedAccepted
		at := server.Status.AuthHealth.LastProbeTime.Time
		if known, found := probe.Recall(failure.Case, failure.Expected, failure.Seen, open, at); found {
			all = append(all, known)
		}
	}
	return probe.FailuresFor(all...)
}
