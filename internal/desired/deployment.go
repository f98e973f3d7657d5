package desired

import (
	"maps"
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	appsv1ac "k8s.io/client-go/applyconfigurations/apps/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy"
)

// Deployment runs the server and its gate. A new pod replaces an old one only once its lock was proven, because
// maxUnavailable is 0 and the readiness gate counts as readiness.
func Deployment(s *v1alpha1.MCPServer, in Inputs) (*appsv1ac.DeploymentApplyConfiguration, error) {
	settings := Resolve(s)
	pod, err := podSpec(s, in)
	if err != nil {
		return nil, err
	}
	deployment := appsv1ac.Deployment(s.Name, s.Namespace).
		WithLabels(labels(s)).
		WithOwnerReferences(owner(s)).
		WithSpec(appsv1ac.DeploymentSpec().
			WithReplicas(settings.Replicas).
			WithSelector(metav1ac.LabelSelector().WithMatchLabels(selector(s))).
			WithStrategy(appsv1ac.DeploymentStrategy().
				WithType(appsv1.RollingUpdateDeploymentStrategyType).
				WithRollingUpdate(appsv1ac.RollingUpdateDeployment().
					WithMaxUnavailable(intstr.FromInt32(0)).
					WithMaxSurge(intstr.FromInt32(1)))).
			WithTemplate(corev1ac.PodTemplateSpec().
				WithLabels(podLabels(s)).
				WithAnnotations(podAnnotations(s)).
				WithSpec(pod)))
	return deployment, record(s, deployment)
}

// podAnnotations: those of the spec, and ours, which the spec cannot have.
func podAnnotations(s *v1alpha1.MCPServer) map[string]string {
	all := map[string]string{}
	maps.Copy(all, Resolve(s).Pod.Annotations)
	all["kubectl.kubernetes.io/default-container"] = ServerContainer
	all[v1alpha1.AnnotationConfigSchema] = strconv.Itoa(authproxy.Schema)
	if at := s.Annotations[v1alpha1.AnnotationRestartedAt]; at != "" {
		all[v1alpha1.AnnotationRestartedAt] = at
	}
	return all
}
