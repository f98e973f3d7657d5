package mcpserver

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	mcpac "github.com/mcp-gatehouse/gatehouse/api/v1alpha1/applyconfiguration/api/v1alpha1"
)

// report is the one place where this controller writes status. A status that says nothing new changes no
// resourceVersion, so nobody is woken by it.
func (r *Reconciler) report(ctx context.Context, server *v1alpha1.MCPServer, seen observed, wrong *problem) error {
	status := statusOf(server, seen, r.Inputs.GateImage, wrong, r.Now())
	object := mcpac.MCPServer(server.Name, server.Namespace).WithStatus(status)
	switch err := r.Status().Apply(ctx, object, FieldOwner, client.ForceOwnership); {
	case apierrors.IsNotFound(err): // deleted in between
		return nil
	case err != nil:
		return fmt.Errorf("write status: %w", err)
	}
	r.announce(server, status)
	return nil
}

// announce sends one Event when Ready changes its status or reason.
func (r *Reconciler) announce(server *v1alpha1.MCPServer, status *mcpac.MCPServerStatusApplyConfiguration) {
	before := meta.FindStatusCondition(server.Status.Conditions, v1alpha1.ConditionReady)
	for _, after := range status.Conditions {
		if *after.Type != v1alpha1.ConditionReady || (before != nil && before.Status == *after.Status && before.Reason == *after.Reason) {
			continue
		}
		kind := corev1.EventTypeNormal
		if *after.Status == metav1.ConditionFalse && *after.Reason != v1alpha1.ReasonProgressing {
			kind = corev1.EventTypeWarning
		}
		r.Events.Eventf(server, nil, kind, *after.Reason, "Reconcile", "Ready is %s: %s", *after.Status, *after.Message)
	}
}
