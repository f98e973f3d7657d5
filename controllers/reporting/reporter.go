package reporting

import (
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
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	mcpac "github.com/mcp-gatehouse/gatehouse/api/v1alpha1/applyconfiguration/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/controllers/owned"
)

// Reporter writes the status of servers, and sends Events of what is new in it.
type Reporter struct {
	Client client.Client
	Events events.EventRecorder
	// Metrics export what status says; nil exports nothing.
	Metrics *Metrics
	Memory  *Memory
}

// Report is the one place where this controller writes status. One that says nothing new is not written.
func (r Reporter) Report(ctx context.Context, server *v1alpha1.MCPServer, status *mcpac.MCPServerStatusApplyConfiguration) error {
	wanted, err := plain(status)
	if err != nil {
		return err
	}
	r.Metrics.show(client.ObjectKeyFromObject(server), wanted)
	if isWritten(server, wanted) || r.Memory.isWritten(server, wanted) {
		return nil
	}
	object := mcpac.MCPServer(server.Name, server.Namespace).WithStatus(status)
	switch err := r.Client.Status().Apply(ctx, object, owned.FieldOwner, client.ForceOwnership); {
	case apierrors.IsNotFound(err): // deleted in between
		return nil
	case err != nil:
		return fmt.Errorf("write status: %w", err)
	}
	r.Memory.wrote(server, wanted)
	r.announce(server, wanted)
	return nil
}

// Renamed writes which objects go by another name. It is a part of the status with an owner of its own, so that no other
// report, made from what was read before, takes it back. It fails if the server was written since it was read.
func (r Reporter) Renamed(ctx context.Context, server *v1alpha1.MCPServer, renamed []v1alpha1.RenamedObject, options ...client.SubResourceApplyOption) error {
	status := mcpac.MCPServerStatus()
	for _, known := range renamed {
		status.WithRenamed(mcpac.RenamedObject().WithName(known.Name).WithNewName(known.NewName).WithSince(known.Since))
	}
	object := mcpac.MCPServer(server.Name, server.Namespace).WithUID(server.UID).WithResourceVersion(server.ResourceVersion).WithStatus(status)
	if err := r.Client.Status().Apply(ctx, object, append(options, renameOwner, client.ForceOwnership)...); err != nil {
		return fmt.Errorf("write status: %w", err)
	}
	return nil
}

// renameOwner is the manager of status.renamed.
const renameOwner = client.FieldOwner("gatehouse-names")

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
	// Package authprobe's part, and that of reportRenamed.
	there.AuthHealth, there.ServerInfo, there.Renamed = nil, nil, nil
	meta.RemoveStatusCondition(&there.Conditions, v1alpha1.ConditionAuthHealthy)
	for _, all := range [][]metav1.Condition{wanted.Conditions, there.Conditions} {
		slices.SortFunc(all, func(a, b metav1.Condition) int { return strings.Compare(a.Type, b.Type) })
		for i := range all {
			// What was stored has whole seconds.
			all[i].LastTransitionTime = metav1.Unix(all[i].LastTransitionTime.Unix(), 0)
		}
	}
	return equality.Semantic.DeepEqual(wanted, *there)
}

// announce sends an Event for each condition that has changed its status or reason and of which one is to tell: Ready, that
// keys are gone, and that an upgrade waits. The status that was read may be older than what was written last; so what was told last counts, if
// anything was.
func (r Reporter) announce(server *v1alpha1.MCPServer, now v1alpha1.MCPServerStatus) {
	for _, kind := range []string{v1alpha1.ConditionReady, v1alpha1.ConditionKeysReady, v1alpha1.ConditionReconciling} {
		before, after := meta.FindStatusCondition(server.Status.Conditions, kind), meta.FindStatusCondition(now.Conditions, kind)
		isNews := r.Memory.tell(client.ObjectKeyFromObject(server), kind, saying(server, before), saying(server, after))
		told := kind == v1alpha1.ConditionReady || after != nil &&
			(after.Reason == v1alpha1.ReasonUpgradePending || after.Reason == v1alpha1.ReasonKeysReplaced)
		if !isNews || after == nil || !told {
			continue
		}
		severity := corev1.EventTypeNormal
		if after.Status == metav1.ConditionFalse && after.Reason != v1alpha1.ReasonProgressing || after.Reason == v1alpha1.ReasonKeysReplaced {
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
	if condition.Reason == v1alpha1.ReasonKeysReplaced { // another loss is news
		return fmt.Sprint(server.UID, condition.Status, condition.Reason, condition.Message)
	}
	return fmt.Sprint(server.UID, condition.Status, condition.Reason)
}
