package rollout

import (
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/conditions"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
)

// WaitingAs puts servers that do not serve fully behind all others.
func WaitingAs(server *v1alpha1.MCPServer, live *appsv1.Deployment) Stage {
	if IsRolledOut(server, live) {
		return Waiting
	}
	return Degraded
}

// IsUpgraded: every pod is new and available, for which its lock was proven, unless the spec takes pods in without proof.
// Then, no lock may have been seen to fail.
func IsUpgraded(server *v1alpha1.MCPServer, live *appsv1.Deployment) bool {
	return IsRolledOut(server, live) && conditions.AuthHealthy(server).Status != metav1.ConditionFalse
}

// IsRolledOut: the pods are those of the Deployment's template, as many as are wanted, and all serve.
func IsRolledOut(server *v1alpha1.MCPServer, live *appsv1.Deployment) bool {
	want, status := desired.Resolve(server).Replicas, live.Status
	return status.ObservedGeneration >= live.Generation && status.UpdatedReplicas >= want &&
		status.Replicas == status.UpdatedReplicas && status.AvailableReplicas >= want
}

// deadlineExceeded is what the controller of Deployments says when no new pod has become available for ten minutes.
const deadlineExceeded = "ProgressDeadlineExceeded"

// ProgressOf is how far an upgrade that has begun is.
func ProgressOf(live *appsv1.Deployment) Stage {
	if slices.ContainsFunc(live.Status.Conditions, func(c appsv1.DeploymentCondition) bool {
		return c.Type == appsv1.DeploymentProgressing && c.Reason == deadlineExceeded
	}) {
		return Stuck
	}
	return Running
}
