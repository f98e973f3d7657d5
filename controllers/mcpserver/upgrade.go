package mcpserver

import (
	"context"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	appsv1ac "k8s.io/client-go/applyconfigurations/apps/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/controllers/owned"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/desired/workload"
	"github.com/mcp-gatehouse/gatehouse/internal/rollout"
)

// turnPause is how long a server that waits to be upgraded can miss its turn, if the call got lost.
const turnPause = 30 * time.Second

// pacer gives Deployments to apply, one upgrade after the other.
type pacer struct {
	client.Reader
	*rollout.Limiter
}

// pace gives the Deployment as it may be applied now: as wanted, or with the pod template that stands until it is this
// server's turn to be upgraded, and what that waits for.
func (p pacer) pace(ctx context.Context, server *v1alpha1.MCPServer, wanted *appsv1ac.DeploymentApplyConfiguration, live *appsv1.Deployment) (now *appsv1ac.DeploymentApplyConfiguration, waits string, err error) {
	if err := p.Seed(func() (map[types.NamespacedName]bool, error) { return p.begun(ctx) }); err != nil {
		return nil, "", err
	}
	name := client.ObjectKeyFromObject(server)
	if live == nil {
		p.Set(name, rollout.Current)
		return wanted, "", nil
	}
	change, held, err := workload.ChangeOf(server, wanted, live)
	if err != nil {
		return nil, "", err
	}
	begun := p.HasBegun(name) || live.Annotations[v1alpha1.AnnotationUpgrading] != ""
	switch {
	case begun && change == workload.Unchanged && rollout.IsUpgraded(server, live):
		p.Set(name, rollout.Current)
		return wanted, "", nil
	case begun:
		p.Set(name, rollout.ProgressOf(live))
		return upgrading(wanted), "", nil
	// Where nothing serves there is nothing to break, and nothing to be learnt for others.
	case change != workload.Upgraded || live.Status.AvailableReplicas == 0:
		p.Set(name, rollout.Current)
		return wanted, "", nil
	}
	granted, why := p.Ask(name, rollout.WaitingAs(server, live))
	if granted {
		return upgrading(wanted), "", nil
	}
	return held, why, nil
}

func upgrading(wanted *appsv1ac.DeploymentApplyConfiguration) *appsv1ac.DeploymentApplyConfiguration {
	return wanted.WithAnnotations(map[string]string{v1alpha1.AnnotationUpgrading: "true"})
}

// begun are the servers that there are, and which of them have a place in the rollout.
func (p pacer) begun(ctx context.Context) (map[types.NamespacedName]bool, error) {
	var servers v1alpha1.MCPServerList
	if err := p.List(ctx, &servers); err != nil {
		return nil, fmt.Errorf("list MCPServers: %w", err)
	}
	var deployments appsv1.DeploymentList
	if err := p.List(ctx, &deployments, client.MatchingLabelsSelector{Selector: owned.Selector()}); err != nil {
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

// gateImageOf is the image of the gate in a pod template.
func gateImageOf(config *appsv1ac.DeploymentApplyConfiguration) string {
	for _, container := range config.Spec.Template.Spec.InitContainers {
		if *container.Name == desired.GateContainer && container.Image != nil {
			return *container.Image
		}
	}
	return ""
}
