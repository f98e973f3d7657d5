package authprobe

import (
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	mcpac "github.com/mcp-gatehouse/gatehouse/api/v1alpha1/applyconfiguration/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/authhealth"
	"github.com/mcp-gatehouse/gatehouse/internal/conditions"
	"github.com/mcp-gatehouse/gatehouse/internal/probe"
)

// heartbeat is how often status says that the evidence is fresh, while nothing else changes.
const heartbeat = 10 * time.Minute

// lifetime of evidence in status, for an operator that was away: two heartbeats, or two rounds where those are further
// apart.
func lifetime(interval time.Duration) time.Duration { return 2 * max(heartbeat, interval) }

// newest gives the time of the newest evidence, or else of what status is from, and what the server said of itself
// last.
func newest(server *v1alpha1.MCPServer, findings authhealth.Findings) (last time.Time, info *probe.ServerInfo) {
	var said time.Time
	if server.Status.AuthHealth != nil {
		last = server.Status.AuthHealth.LastProbeTime.Time
	}
	for _, e := range findings {
		if e.Standing == nil {
			continue
		}
		if e.Standing.At.After(last) {
			last = e.Standing.At
		}
		if e.Standing.Server != nil && e.Standing.At.After(said) {
			said, info = e.Standing.At, e.Standing.Server
		}
	}
	return last, info
}

func conditionOf(server *v1alpha1.MCPServer, verdict authhealth.Judgement, now time.Time) *metav1ac.ConditionApplyConfiguration {
	return applied(server, now, metav1.Condition{
		Type: v1alpha1.ConditionAuthHealthy, Status: verdict.Status, Reason: verdict.Reason, Message: verdict.Message,
	})
}

// applied is a condition of the server as it is applied: its time stays while its status does.
func applied(server *v1alpha1.MCPServer, now time.Time, condition metav1.Condition) *metav1ac.ConditionApplyConfiguration {
	condition.ObservedGeneration, condition.LastTransitionTime = server.Generation, metav1.NewTime(now)
	all := slices.Clone(server.Status.Conditions)
	meta.SetStatusCondition(&all, condition)
	return conditions.Apply(*meta.FindStatusCondition(all, condition.Type))
}

// refusedCondition is nil while no provider's clients are all refused: not to apply it removes it.
func refusedCondition(server *v1alpha1.MCPServer, verdict authhealth.Judgement, now time.Time) *metav1ac.ConditionApplyConfiguration {
	if verdict.Rejecting == "" {
		return nil
	}
	return applied(server, now, metav1.Condition{
		Type: v1alpha1.ConditionClientsRefused, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonProviderRejectsEveryone,
		Message: verdict.Rejecting,
	})
}

func authHealthOf(verdict authhealth.Judgement, last time.Time) *mcpac.AuthHealthApplyConfiguration {
	out := mcpac.AuthHealth().WithPods(int32(verdict.Pods)).WithProvenPods(int32(verdict.ProvenPods)) //nolint:gosec // counts of pods
	if !last.IsZero() {
		out.WithLastProbeTime(metav1.NewTime(last))
	}
	if verdict.Policy != "" {
		out.WithNetworkPolicy(verdict.Policy)
	}
	if verdict.Bare != "" {
		out.WithBareServer(verdict.Bare)
	}
	for _, f := range verdict.Failures {
		out.WithFailures(mcpac.AuthFailure().WithPod(f.Pod).WithCase(f.Case).WithExpected(f.Expected).WithSeen(f.Seen))
	}
	return out
}

// serverInfoOf keeps what the server said before while it says nothing new.
func serverInfoOf(server *v1alpha1.MCPServer, info *probe.ServerInfo) *mcpac.ServerInfoApplyConfiguration {
	known := server.Status.ServerInfo
	if info != nil {
		known = &v1alpha1.ServerInfo{Name: info.Name, Version: info.Version, ProtocolVersion: info.ProtocolVersion}
	}
	if known == nil {
		return nil
	}
	return mcpac.ServerInfo().WithName(known.Name).WithVersion(known.Version).WithProtocolVersion(known.ProtocolVersion)
}

// same tells that status already says what the verdict says.
func same(server *v1alpha1.MCPServer, before metav1.Condition, verdict authhealth.Judgement) bool {
	health := server.Status.AuthHealth
	return health != nil && before.Status == verdict.Status && before.Reason == verdict.Reason && before.Message == verdict.Message &&
		before.ObservedGeneration == server.Generation &&
		health.NetworkPolicy == verdict.Policy && health.BareServer == verdict.Bare &&
		health.Pods == int32(verdict.Pods) && health.ProvenPods == int32(verdict.ProvenPods) && //nolint:gosec // counts of pods
		(len(health.Failures) == 0 && len(verdict.Failures) == 0 || equality.Semantic.DeepEqual(health.Failures, verdict.Failures))
}

func heartbeatDue(server *v1alpha1.MCPServer, last time.Time) bool {
	return last.Sub(server.Status.AuthHealth.LastProbeTime.Time) >= heartbeat
}

// stale tells that status says True on evidence that nobody would call fresh.
func stale(server *v1alpha1.MCPServer, before *metav1.Condition, oldest time.Time) bool {
	health := server.Status.AuthHealth
	return before != nil && before.Status == metav1.ConditionTrue && (health == nil || health.LastProbeTime.Time.Before(oldest))
}
