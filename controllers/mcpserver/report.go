package mcpserver

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	mcpac "github.com/mcp-gatehouse/gatehouse/api/v1alpha1/applyconfiguration/api/v1alpha1"
)

// report is the one place where this controller writes status. One that says nothing new is not written.
func (r *Reconciler) report(ctx context.Context, server *v1alpha1.MCPServer, seen observed, wrong *problem) error {
	status := statusOf(server, seen, cmp.Or(seen.gateImage, server.Status.GateImage, r.Inputs.GateImage), wrong, r.Now())
	wanted, err := plain(status)
	if err != nil {
		return err
	}
	r.Metrics.show(client.ObjectKeyFromObject(server), wanted)
	if isWritten(server, wanted) || r.standing.isWritten(server, wanted) {
		return nil
	}
	object := mcpac.MCPServer(server.Name, server.Namespace).WithStatus(status)
	switch err := r.Status().Apply(ctx, object, FieldOwner, client.ForceOwnership); {
	case apierrors.IsNotFound(err): // deleted in between
		return nil
	case err != nil:
		return fmt.Errorf("write status: %w", err)
	}
	r.standing.wrote(server, wanted)
	r.announce(server, wanted)
	return nil
}

// plain is a status as it is read, but for the order of its conditions.
func plain(status *mcpac.MCPServerStatusApplyConfiguration) (v1alpha1.MCPServerStatus, error) {
	var out v1alpha1.MCPServerStatus
	data, err := json.Marshal(status)
	if err == nil {
		err = json.Unmarshal(data, &out)
	}
	if err != nil {
		return out, fmt.Errorf("encode status: %w", err)
	}
	return out, nil
}

// isWritten tells whether all that this controller owns in the status is already there, as it is to be.
func isWritten(server *v1alpha1.MCPServer, wanted v1alpha1.MCPServerStatus) bool {
	there := server.Status.DeepCopy()
	// Package authprobe's part.
	there.AuthHealth, there.ServerInfo = nil, nil
	meta.RemoveStatusCondition(&there.Conditions, v1alpha1.ConditionAuthHealthy)
	for _, conditions := range [][]metav1.Condition{wanted.Conditions, there.Conditions} {
		slices.SortFunc(conditions, func(a, b metav1.Condition) int { return strings.Compare(a.Type, b.Type) })
		for i := range conditions {
			// What was stored has whole seconds.
			conditions[i].LastTransitionTime = metav1.Unix(conditions[i].LastTransitionTime.Unix(), 0)
		}
	}
	return equality.Semantic.DeepEqual(wanted, *there)
}

// announce sends an Event for each condition that has changed its status or reason and of which one is to tell: Ready, and
// that an upgrade waits. The status that was read may be older than what was written last; so what was told last counts, if
// anything was.
func (r *Reconciler) announce(server *v1alpha1.MCPServer, now v1alpha1.MCPServerStatus) {
	for _, kind := range []string{v1alpha1.ConditionReady, v1alpha1.ConditionReconciling} {
		before, after := meta.FindStatusCondition(server.Status.Conditions, kind), meta.FindStatusCondition(now.Conditions, kind)
		isNews := r.standing.tell(client.ObjectKeyFromObject(server), kind, saying(server, before), saying(server, after))
		if !isNews || after == nil || kind != v1alpha1.ConditionReady && after.Reason != v1alpha1.ReasonUpgradePending {
			continue
		}
		severity := corev1.EventTypeNormal
		if after.Status == metav1.ConditionFalse && after.Reason != v1alpha1.ReasonProgressing {
			severity = corev1.EventTypeWarning
		}
		r.Events.Eventf(server, nil, severity, after.Reason, "Reconcile", "%s is %s: %s", kind, after.Status, after.Message)
	}
}

// saying is what of a condition is news when it changes.
func saying(server *v1alpha1.MCPServer, condition *metav1.Condition) string {
	if condition == nil {
		return ""
	}
	return fmt.Sprint(server.UID, condition.Status, condition.Reason)
}
