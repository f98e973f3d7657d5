package workload

import (
	"strconv"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	appsv1ac "k8s.io/client-go/applyconfigurations/apps/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

// Deployment runs the server and its gate. A new pod replaces an old one only once its lock was proven, because
// maxUnavailable is 0 and the readiness gate counts as readiness.
func Deployment(s *v1alpha1.MCPServer, in desired.Inputs) (*appsv1ac.DeploymentApplyConfiguration, error) {
	settings := desired.Resolve(s)
	pod, err := podSpec(s, in)
	if err != nil {
		return nil, err
	}
	deployment := appsv1ac.Deployment(s.Name, s.Namespace).
		WithLabels(desired.Labels(s)).
		WithAnnotations(desired.Annotations(s, nil)).
		WithOwnerReferences(desired.Owner(s)).
		WithSpec(appsv1ac.DeploymentSpec().
			WithReplicas(settings.Replicas).
			WithSelector(metav1ac.LabelSelector().WithMatchLabels(desired.MatchLabels(s))).
			WithStrategy(appsv1ac.DeploymentStrategy().
				WithType(appsv1.RollingUpdateDeploymentStrategyType).
				WithRollingUpdate(appsv1ac.RollingUpdateDeployment().
					WithMaxUnavailable(intstr.FromInt32(0)).
					WithMaxSurge(intstr.FromInt32(1)))).
			WithTemplate(corev1ac.PodTemplateSpec().
				WithLabels(desired.PodLabels(s)).
				WithAnnotations(podAnnotations(s, in)).
				WithSpec(pod)))
	if deadline := progressDeadline(settings); deadline > defaultProgressDeadline {
		deployment.Spec.WithProgressDeadlineSeconds(deadline)
	}
	return deployment, record(s, deployment)
}

// defaultProgressDeadline is what the API server sets, in seconds.
const defaultProgressDeadline = 600

// progressDeadline is how long a rollout may make no progress, in seconds: a server that is slow to start is not stuck.
func progressDeadline(settings desired.Settings) int32 {
	const margin = 2 * time.Minute                                // to schedule the pod and to pull its images
	return int32((settings.StartBudget() + margin) / time.Second) //nolint:gosec // startupSeconds is bounded
}

// podAnnotations: those of the spec, and ours, which the spec cannot have.
func podAnnotations(s *v1alpha1.MCPServer, in desired.Inputs) map[string]string {
	all := desired.Merged(s.Spec.CommonAnnotations, desired.Resolve(s).Pod.Annotations)
	all["kubectl.kubernetes.io/default-container"] = desired.ServerContainer
	all[v1alpha1.AnnotationConfigSchema] = strconv.Itoa(gateapi.Schema)
	if at := s.Annotations[v1alpha1.AnnotationRestartedAt]; at != "" {
		all[v1alpha1.AnnotationRestartedAt] = at
	}
	if _, lent := desired.Resolve(s).LentSecret(); lent && in.LentKey != "" {
		all[v1alpha1.AnnotationLentKey] = in.LentKey
	}
	return all
}
