package workload

import (
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"
	policyv1ac "k8s.io/client-go/applyconfigurations/policy/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
)

// PodDisruptionBudget lets nodes be drained one pod at a time. A pod that does not work may always go: it would hold up
// the drain, and nobody is served by it.
func PodDisruptionBudget(s *v1alpha1.MCPServer) *policyv1ac.PodDisruptionBudgetApplyConfiguration {
	return policyv1ac.PodDisruptionBudget(s.Name, s.Namespace).
		WithLabels(desired.Labels(s)).
		WithAnnotations(desired.Annotations(s, nil)).
		WithOwnerReferences(desired.Owner(s)).
		WithSpec(policyv1ac.PodDisruptionBudgetSpec().
			WithSelector(metav1ac.LabelSelector().WithMatchLabels(desired.MatchLabels(s))).
			WithMaxUnavailable(intstr.FromInt32(1)).
			WithUnhealthyPodEvictionPolicy(policyv1.AlwaysAllow))
}
