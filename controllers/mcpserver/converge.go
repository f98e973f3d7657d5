package mcpserver

import (
	"context"
	"errors"

	appsv1ac "k8s.io/client-go/applyconfigurations/apps/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/controllers/keypublisher"
	"github.com/mcp-gatehouse/gatehouse/controllers/routes"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/desired/gateconfig"
	"github.com/mcp-gatehouse/gatehouse/internal/desired/inventory"
	"github.com/mcp-gatehouse/gatehouse/internal/desired/network"
	"github.com/mcp-gatehouse/gatehouse/internal/desired/workload"
	"github.com/mcp-gatehouse/gatehouse/internal/terminal"
)

// desire makes the objects that there are to be.
func (r *Reconciler) desire(_ context.Context, server *v1alpha1.MCPServer, seen *observed) (err error) {
	in := inputs(r.Inputs, server, seen)
	if seen.objects, err = inventory.Of(server, in); err != nil {
		return impossible(err)
	}
	seen.Untold, err = gateconfig.Untold(server, in)
	return impossible(err)
}

// offer notes what gates may load from now on.
func (r *Reconciler) offer(_ context.Context, server *v1alpha1.MCPServer, seen *observed) error {
	published, err := keypublisher.Published(server, seen.objects, seen.Public)
	if err != nil {
		return err
	}
	r.Publications.Offer(server, published, seen.Deployment == nil)
	return nil
}

// inputs are the operator's settings in, and what was read.
func inputs(in desired.Inputs, server *v1alpha1.MCPServer, seen *observed) desired.Inputs {
	in.Keys, in.Rotations, in.Cluster, in.Revoked, in.GateSecret = seen.Private, seen.Records, seen.cluster, seen.brought.Revoked, seen.GateSecret.Data
	in.ProbeKey = seen.probeKey
	if provider, lends := desired.Resolve(server).Lends(); lends && len(seen.Public[provider.Name]) > 0 {
		in.LentKey = seen.Public[provider.Name][0].ID // of the first data key, which is the one that is lent
	}
	in.Schemas, in.ConfigFiles, in.Ports = seen.schemas, seen.configFiles, seen.ports
	in.OldConfigs, in.KeyFiles = seen.oldConfigs, seen.keyFiles
	return in
}

// impossible tells what of a spec cannot be carried out; any other error stays as it is.
func impossible(err error) error {
	var unlocked *inventory.UnlockedError
	var invalid *desired.InvalidError
	const nothing = "Nothing of this spec is carried out: "
	switch {
	case errors.As(err, &unlocked):
		return &terminal.Error{Condition: v1alpha1.ConditionAccepted, Reason: v1alpha1.ReasonGateBypass, Message: nothing + unlocked.Error() + ". Take it out of the spec."}
	case errors.As(err, &invalid):
		return &terminal.Error{Condition: v1alpha1.ConditionAccepted, Reason: v1alpha1.ReasonInvalidSpec, Message: nothing + invalid.Error() + ". Change it."}
	}
	return err
}

// apply applies the objects in their order; a route only where the cluster has routes.
func (r *Reconciler) apply(ctx context.Context, server *v1alpha1.MCPServer, seen *observed) error {
	for _, object := range seen.objects {
		switch wanted := object.(type) {
		case *network.HTTPRouteApplyConfiguration:
			if seen.routes == nil {
				continue
			}
		case *appsv1ac.DeploymentApplyConfiguration:
			paced, waits, err := pacer{r.Client, r.Rollout}.pace(ctx, server, wanted, seen.Deployment)
			if err != nil {
				return err
			}
			object, seen.GateImage, seen.Waits = paced, gateImageOf(paced), waits
		}
		err := r.objects().Apply(ctx, server, object, seen.standing())
		if wanted, isDeployment := object.(*appsv1ac.DeploymentApplyConfiguration); isDeployment && isApplied(err) {
			seen.Record = workload.RecordDigest(wanted.Annotations)
		}
		if err != nil {
			return err
		}
		// What stands in the cluster from now on, whatever becomes of the objects behind it. The other ConfigMap is written before.
		if config, ok := object.(*corev1ac.ConfigMapApplyConfiguration); ok && *config.Name == desired.GateConfigName(server) {
			r.Publications.Settle(server, r.Now())
		}
	}
	return nil
}

// isApplied reports whether an object was written, though maybe not as it was to be.
func isApplied(err error) bool {
	var wrong *terminal.Error
	return err == nil || errors.As(err, &wrong) && wrong.Reason == v1alpha1.ReasonTemplateTampered
}

// prune deletes what the spec does not ask for any more.
func (r *Reconciler) prune(ctx context.Context, server *v1alpha1.MCPServer, seen *observed) error {
	for _, kind := range inventory.Unwanted(server) {
		if err := r.objects().Prune(ctx, server, kind, seen.standing()); err != nil {
			return err
		}
	}
	return nil
}

// refresh has the kubelet bring what has changed into running pods.
func (r *Reconciler) refresh(ctx context.Context, server *v1alpha1.MCPServer, seen *observed) error {
	return r.objects().Refresh(ctx, server, seen.Pods, seen.mounted(server), seen.objects)
}

func (r *Reconciler) judgeRoute(ctx context.Context, server *v1alpha1.MCPServer, seen *observed) error {
	return routes.Judge(ctx, r.Client, server, seen.routes != nil)
}
