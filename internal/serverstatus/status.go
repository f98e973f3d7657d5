package serverstatus

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	mcpac "github.com/mcp-gatehouse/gatehouse/api/v1alpha1/applyconfiguration/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/availability"
	"github.com/mcp-gatehouse/gatehouse/internal/conditions"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/diagnosis"
	"github.com/mcp-gatehouse/gatehouse/internal/rollout"
	"github.com/mcp-gatehouse/gatehouse/internal/terminal"
)

// Of is the part of the status that this controller owns: all but AuthHealthy and its evidence.
func Of(server *v1alpha1.MCPServer, seen Seen, gateImage string, wrong *terminal.Error, now time.Time) *mcpac.MCPServerStatusApplyConfiguration {
	status := mcpac.MCPServerStatus().
		WithObservedGeneration(server.Generation).
		WithSelector(desired.Selector(server)).
		WithReplicas(0).
		WithReadyReplicas(0).
		WithGateImage(gateImage).
		WithFormerGateImages(desired.FormerGateImages(server, gateImage)...)
	if record := cmp.Or(seen.Record, server.Status.Template); record != "" {
		status.WithTemplate(record)
	}
	if url := addressOf(server, seen, wrong); url != "" {
		status.WithAddress(mcpac.Address().WithURL(url))
	}
	if seen.Deployment != nil {
		status.WithReplicas(seen.Deployment.Status.Replicas).WithReadyReplicas(seen.Deployment.Status.ReadyReplicas)
	}
	statuses := keyStatuses(server, seen, isStored(wrong) || seen.Stored)
	status.WithKeys(statuses[:min(len(statuses), maxKeyStatuses)]...)
	status.WithImages(imageStatuses(seen.Pods)...)
	for _, condition := range Conditions(server, seen, wrong, now) {
		status.WithConditions(conditions.Apply(condition))
	}
	return status
}

// addressOf is where clients reach the gate by the spec that it carries out; empty while it carries out none.
func addressOf(server *v1alpha1.MCPServer, seen Seen, wrong *terminal.Error) string {
	switch {
	case isStored(wrong):
		leads := wrong == nil || wrong.Reason != v1alpha1.ReasonRouteConflict
		return desired.URL(server, seen.RouteAccepted && leads)
	case seen.InForce != nil:
		return desired.URL(seen.InForce, seen.RouteAccepted)
	default:
		return ""
	}
}

// Conditions are the conditions that this controller owns. Reconciling and Stalled are there only while True.
func Conditions(server *v1alpha1.MCPServer, seen Seen, wrong *terminal.Error, now time.Time) []metav1.Condition {
	all := slices.Clone(server.Status.Conditions)
	var owned []string
	set := func(kind string, v conditions.Verdict) metav1.Condition {
		meta.SetStatusCondition(&all, metav1.Condition{
			Type: kind, Status: v.Status, Reason: v.Reason, Message: v.Message,
			ObservedGeneration: server.Generation, LastTransitionTime: metav1.NewTime(now),
		})
		owned = append(owned, kind)
		return *meta.FindStatusCondition(all, kind)
	}
	parked := desired.Resolve(server).Replicas == 0
	parts := []metav1.Condition{
		set(v1alpha1.ConditionAccepted, judgeAccepted(server, wrong)),
		set(v1alpha1.ConditionKeysReady, judgeKeys(server, seen, wrong, now)),
		set(v1alpha1.ConditionAvailable, availability.Judge(server, seen.availability(), isStored(wrong), now)),
		conditions.AuthHealthy(server),
	}
	set(v1alpha1.ConditionReady, judgeReady(parts, parked))
	if wrong != nil {
		set(v1alpha1.ConditionStalled, conditions.True(wrong.Reason, wrong.Message))
	} else if v := judgeReconciling(server, seen); v.Reason != "" {
		set(v1alpha1.ConditionReconciling, v)
	}
	return slices.DeleteFunc(all, func(c metav1.Condition) bool { return !slices.Contains(owned, c.Type) })
}

func judgeAccepted(server *v1alpha1.MCPServer, wrong *terminal.Error) conditions.Verdict {
	if wrong != nil && wrong.Condition == v1alpha1.ConditionAccepted {
		return conditions.False(wrong.Reason, wrong.Message)
	}
	message := "The spec can be carried out."
	if floats(server.Spec.Image) {
		message += fmt.Sprintf(" spec.image %s says nothing about which image it is: pods that are made later may run another. "+
			"Name a version or a digest; status.images has the digests that run.", server.Spec.Image)
	}
	return conditions.True(v1alpha1.ReasonAccepted, message)
}

// judgeReady is the first part that is not True, in the order of cause. A parked server is as ready as it can be: nobody
// can know of its lock, unless a pod that has yet to end was seen open.
func judgeReady(parts []metav1.Condition, parked bool) conditions.Verdict {
	for _, part := range parts {
		if part.Status == metav1.ConditionTrue || (parked && part.Status == metav1.ConditionUnknown) {
			continue
		}
		return conditions.Verdict{Status: part.Status, Reason: part.Reason, Message: part.Message}
	}
	if parked {
		return conditions.True(v1alpha1.ReasonScaledToZero, "The server is parked: replicas is 0.")
	}
	return conditions.True(v1alpha1.ReasonReady, "The server runs, and its lock was seen to hold on every pod.")
}

// judgeReconciling says what is still under way; an empty reason means nothing.
func judgeReconciling(server *v1alpha1.MCPServer, seen Seen) conditions.Verdict {
	d := seen.Deployment
	if d == nil || d.Status.ObservedGeneration < d.Generation {
		return conditions.True(v1alpha1.ReasonProgressing, "The objects are being brought to the spec.")
	}
	if rollout.IsRolledOut(server, d) {
		if seen.Waits == "" {
			return conditions.Verdict{}
		}
		return conditions.True(v1alpha1.ReasonUpgradePending, seen.Waits).And(seen.Untold...)
	}
	reason := v1alpha1.ReasonProgressing
	message := fmt.Sprintf("%d of %d pods are of the newest revision, %d pods are available",
		d.Status.UpdatedReplicas, desired.Resolve(server).Replicas, d.Status.AvailableReplicas)
	if found := availability.Diagnose(server, seen.availability()); found != nil {
		reason, message = found.Reason, message+"; "+strings.TrimSuffix(diagnosis.Sentence(found.Message), ".")
	}
	return conditions.True(reason, message+".").And(seen.Untold...).And(seen.Waits)
}

// isStored reports whether all but the route of a spec was carried out all the same; nil is no problem.
func isStored(wrong *terminal.Error) bool {
	return wrong == nil || wrong.Reason == v1alpha1.ReasonRouteUnsupported || wrong.Reason == v1alpha1.ReasonRouteConflict
}
