package workload

import (
	"cmp"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
)

// schedule says where the pods run.
func schedule(spec *corev1ac.PodSpecApplyConfiguration, s *v1alpha1.MCPServer, pod v1alpha1.Pod) error {
	spec.WithNodeSelector(pod.NodeSelector)
	if pod.PriorityClassName != "" {
		spec.WithPriorityClassName(pod.PriorityClassName)
	}
	if pod.RuntimeClassName != "" {
		spec.WithRuntimeClassName(pod.RuntimeClassName)
	}
	if pod.Affinity != nil {
		if err := desired.Convert(pod.Affinity, &spec.Affinity); err != nil {
			return err
		}
	}
	if err := desired.Convert(pod.Tolerations, &spec.Tolerations); err != nil {
		return err
	}
	return desired.Convert(spread(s, pod.TopologySpreadConstraints), &spec.TopologySpreadConstraints)
}

// spread gives the constraints of the spec, each with a selector; by default, pods go to different nodes where they can.
// The default is there for a single pod, too: if it came with the second, scaling would replace the first.
func spread(s *v1alpha1.MCPServer, asked []corev1.TopologySpreadConstraint) []corev1.TopologySpreadConstraint {
	own := &metav1.LabelSelector{MatchLabels: desired.MatchLabels(s)}
	if len(asked) == 0 {
		return []corev1.TopologySpreadConstraint{{
			MaxSkew: 1, TopologyKey: corev1.LabelHostname, WhenUnsatisfiable: corev1.ScheduleAnyway, LabelSelector: own,
			// During a rollout the new pods spread among themselves.
			MatchLabelKeys: []string{appsv1.DefaultDeploymentUniqueLabelKey},
		}}
	}
	var out []corev1.TopologySpreadConstraint
	for _, constraint := range asked {
		constraint.LabelSelector = cmp.Or(constraint.LabelSelector, own)
		out = append(out, constraint)
	}
	return out
}
