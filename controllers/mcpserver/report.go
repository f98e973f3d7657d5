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
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	mcpac "github.com/mcp-gatehouse/gatehouse/api/v1alpha1/applyconfiguration/api/v1alpha1"
)

// report is the one place where this controller writes status. One that says nothing new is not written.
func (r *Reconciler) report(ctx context.Context, server *v1alpha1.MCPServer, seen observed, wrong *problem) error {
	status := statusOf(server, seen, cmp.Or(seen.gateImage, server.Status.GateImage, r.Inputs.GateImage), wrong, r.Now())
	if stands, err := isWritten(server, status); err != nil || stands {
		return err
	}
	news, err := r.news(ctx, server, status)
	if err != nil {
		return err
	}
	object := mcpac.MCPServer(server.Name, server.Namespace).WithStatus(status)
	switch err := r.Status().Apply(ctx, object, FieldOwner, client.ForceOwnership); {
	case apierrors.IsNotFound(err): // deleted in between
		return nil
	case err != nil:
		return fmt.Errorf("write status: %w", err)
	}
	for _, condition := range news {
		r.announce(server, condition)
	}
	return nil
}

// isWritten tells whether all that this controller owns in the status is already there, as it is to be.
func isWritten(server *v1alpha1.MCPServer, status *mcpac.MCPServerStatusApplyConfiguration) (bool, error) {
	data, err := json.Marshal(status)
	if err != nil {
		return false, fmt.Errorf("encode status: %w", err)
	}
	var wanted v1alpha1.MCPServerStatus
	if err := json.Unmarshal(data, &wanted); err != nil {
		return false, fmt.Errorf("encode status: %w", err)
	}
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
	return equality.Semantic.DeepEqual(wanted, *there), nil
}

// news are the conditions of which an Event tells, because they change their status or reason: Ready, and that an upgrade
// waits. The cache may be behind, and would let the same news be told twice; so what looks new there is compared with what
// is stored.
func (r *Reconciler) news(ctx context.Context, server *v1alpha1.MCPServer, status *mcpac.MCPServerStatusApplyConfiguration) ([]metav1ac.ConditionApplyConfiguration, error) {
	news := slices.DeleteFunc(slices.Clone(status.Conditions), func(c metav1ac.ConditionApplyConfiguration) bool {
		isTold := *c.Type == v1alpha1.ConditionReady || *c.Reason == v1alpha1.ReasonUpgradePending
		return !isTold || isSame(server, c)
	})
	if len(news) == 0 {
		return nil, nil
	}
	stored := &v1alpha1.MCPServer{}
	switch err := r.Live.Get(ctx, client.ObjectKeyFromObject(server), stored); {
	case apierrors.IsNotFound(err):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("read the status that is stored: %w", err)
	}
	return slices.DeleteFunc(news, func(c metav1ac.ConditionApplyConfiguration) bool { return isSame(stored, c) }), nil
}

func isSame(server *v1alpha1.MCPServer, after metav1ac.ConditionApplyConfiguration) bool {
	before := meta.FindStatusCondition(server.Status.Conditions, *after.Type)
	return before != nil && before.Status == *after.Status && before.Reason == *after.Reason
}

// announce sends an Event that says what a condition has become.
func (r *Reconciler) announce(server *v1alpha1.MCPServer, condition metav1ac.ConditionApplyConfiguration) {
	kind := corev1.EventTypeNormal
	if *condition.Status == metav1.ConditionFalse && *condition.Reason != v1alpha1.ReasonProgressing {
		kind = corev1.EventTypeWarning
	}
	r.Events.Eventf(server, nil, kind, *condition.Reason, "Reconcile", "%s is %s: %s", *condition.Type, *condition.Status, *condition.Message)
}
