package mcpserver

import (
	"context"
	"fmt"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	appsv1ac "k8s.io/client-go/applyconfigurations/apps/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
)

// turnPause is how long a server that waits to be upgraded can miss its turn, if the call got lost.
const turnPause = 30 * time.Second

// pace gives the Deployment as it may be applied now: as wanted, or with the pod template that stands until it is this
// server's turn to be upgraded.
func (r *Reconciler) pace(ctx context.Context, server *v1alpha1.MCPServer, wanted *appsv1ac.DeploymentApplyConfiguration, seen *observed) (*appsv1ac.DeploymentApplyConfiguration, error) {
	if err := r.Fleet.seed(func() (map[types.NamespacedName]bool, error) { return r.begun(ctx) }); err != nil {
		return nil, err
	}
	name, live := client.ObjectKeyFromObject(server), seen.deployment
	if live == nil {
		r.Fleet.is(name, current)
		return wanted, nil
	}
	change, held, err := desired.ChangeOf(server, wanted, live)
	if err != nil {
		return nil, err
	}
	begun := r.Fleet.hasBegun(name) || live.Annotations[v1alpha1.AnnotationUpgrading] != ""
	switch {
	case begun && change == desired.Unchanged && isUpgraded(server, live):
		r.Fleet.is(name, current)
		return wanted, nil
	case begun:
		r.Fleet.is(name, progressOf(live))
		return upgrading(wanted), nil
	// Where nothing serves there is nothing to break, and nothing to be learnt for others.
	case change != desired.Upgraded || live.Status.AvailableReplicas == 0:
		r.Fleet.is(name, current)
		return wanted, nil
	}
	granted, why := r.Fleet.ask(name, waitingAs(server, live))
	if granted {
		return upgrading(wanted), nil
	}
	seen.waits = why
	return held, nil
}

// waitingAs puts servers that do not serve fully behind all others.
func waitingAs(server *v1alpha1.MCPServer, live *appsv1.Deployment) stage {
	if isRolledOut(server, live) {
		return waiting
	}
	return degraded
}

func upgrading(wanted *appsv1ac.DeploymentApplyConfiguration) *appsv1ac.DeploymentApplyConfiguration {
	return wanted.WithAnnotations(map[string]string{v1alpha1.AnnotationUpgrading: "true"})
}

// begun are the servers that there are, and which of them have a place in the fleet's upgrade.
func (r *Reconciler) begun(ctx context.Context) (map[types.NamespacedName]bool, error) {
	var servers v1alpha1.MCPServerList
	if err := r.List(ctx, &servers); err != nil {
		return nil, fmt.Errorf("list MCPServers: %w", err)
	}
	var deployments appsv1.DeploymentList
	if err := r.List(ctx, &deployments, client.MatchingLabelsSelector{Selector: oursSelector()}); err != nil {
		return nil, fmt.Errorf("list Deployments: %w", err)
	}
	marked := map[types.UID]bool{}
	for _, deployment := range deployments.Items {
		if owner := metav1.GetControllerOf(&deployment); owner != nil && deployment.Annotations[v1alpha1.AnnotationUpgrading] != "" {
			marked[owner.UID] = true
		}
	}
	out := map[types.NamespacedName]bool{}
	for _, server := range servers.Items {
		out[client.ObjectKeyFromObject(&server)] = marked[server.UID]
	}
	return out, nil
}

// isUpgraded: every pod is new and available, for which its lock was proven, unless the spec takes pods in without proof.
// Then, no lock may have been seen to fail.
func isUpgraded(server *v1alpha1.MCPServer, live *appsv1.Deployment) bool {
	return isRolledOut(server, live) && authHealthy(server).Status != metav1.ConditionFalse
}

// isRolledOut: the pods are those of the Deployment's template, as many as are wanted, and all serve.
func isRolledOut(server *v1alpha1.MCPServer, live *appsv1.Deployment) bool {
	want, status := desired.Resolve(server).Replicas, live.Status
	return status.ObservedGeneration >= live.Generation && status.UpdatedReplicas >= want &&
		status.Replicas == status.UpdatedReplicas && status.AvailableReplicas >= want
}

// deadlineExceeded is what the controller of Deployments says when no new pod has become available for ten minutes.
const deadlineExceeded = "ProgressDeadlineExceeded"

func progressOf(live *appsv1.Deployment) stage {
	if slices.ContainsFunc(live.Status.Conditions, func(c appsv1.DeploymentCondition) bool {
		return c.Type == appsv1.DeploymentProgressing && c.Reason == deadlineExceeded
	}) {
		return stuck
	}
	return running
}

// gateImageOf is the image of the gate in a pod template.
func gateImageOf(config *appsv1ac.DeploymentApplyConfiguration) string {
	for _, container := range config.Spec.Template.Spec.InitContainers {
		if *container.Name == desired.GateContainer && container.Image != nil {
			return *container.Image
		}
	}
	return ""
}
