package authprobe

import (
	"context"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	mcpac "github.com/mcp-gatehouse/gatehouse/api/v1alpha1/applyconfiguration/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/controllers/mcpserver"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/probe"
)

// heartbeat is how often status says that the evidence is fresh, while nothing else changes.
const heartbeat = 10 * time.Minute

// lifetime of evidence in status, for an operator that was away: two heartbeats, or two rounds where those are further
// apart.
func lifetime(interval time.Duration) time.Duration { return 2 * max(heartbeat, interval) }

// shortly is how long a server may begin without a word that there is no evidence yet. Most have some by then.
const shortly = 10 * time.Second

// silence is the time for which nothing is said of a server: it begins, and nothing is known for or against it. 0: something
// is to be said.
func silence(server *v1alpha1.MCPServer, entries map[types.UID]entry, service serviceView, now time.Time) time.Duration {
	said := meta.FindStatusCondition(server.Status.Conditions, v1alpha1.ConditionAuthHealthy) != nil
	if said || desired.Resolve(server).Replicas == 0 || service.finding != nil {
		return 0
	}
	for _, e := range entries {
		if e.standing != nil {
			return 0
		}
	}
	begun := now
	if accepted := acceptedOf(server); accepted != nil {
		begun = accepted.LastTransitionTime.Time
	}
	return max(0, begun.Add(shortly).Sub(now))
}

// acceptedOf is the condition that a server has once the other controller has looked at it; nil before.
func acceptedOf(object client.Object) *metav1.Condition {
	server, ok := object.(*v1alpha1.MCPServer)
	if !ok {
		return nil
	}
	return meta.FindStatusCondition(server.Status.Conditions, v1alpha1.ConditionAccepted)
}

// report judges the server and writes what changed. It is the one place where this controller writes the status of an
// MCPServer. note says how a good token was come by, as far as that is not plain.
func (r *Reconciler) report(ctx context.Context, server *v1alpha1.MCPServer, pods []corev1.Pod, entries map[types.UID]entry, service serviceView, braked bool, note string) error {
	now, settings := r.Now(), desired.Resolve(server)
	oldest := now.Add(-lifetime(settings.Probe.Interval))
	seen := subjects(pods, entries, now, settings.Probe)
	verdict, keep := judge(seen, settings.Replicas == 0)
	before := meta.FindStatusCondition(server.Status.Conditions, v1alpha1.ConditionAuthHealthy)
	if keep && service.finding == nil {
		if !stale(server, before, oldest) {
			if before != nil {
				r.metrics.verdict(client.ObjectKeyFromObject(server), before.Status, before.Reason)
			}
			return nil
		}
		verdict = judgement{
			status: metav1.ConditionUnknown, reason: v1alpha1.ReasonEvidenceStale,
			message: "The last round is too long ago: nobody has tried the lock since. The pods are being tried now.",
		}
	}
	verdict = verdict.serving(seen).against(service.finding).noted(seen)
	var refused map[string]streak
	if verdict.status == metav1.ConditionTrue {
		refused = allRefused(entries)
		verdict = verdict.whileTrue(note+service.note(settings.Probe.FailureThreshold), rejecting(refused))
	}
	verdict.message += superseded(server)
	if braked && standingOf(pods, entries) >= standsOpen {
		verdict.message += " " + brakeMessage
	}
	r.metrics.judged(client.ObjectKeyFromObject(server), verdict, settings.Providers, refused)
	last, info := newest(server, entries)
	if before != nil && same(server, *before, verdict) && !heartbeatDue(server, last) {
		return nil
	}
	if err := r.write(ctx, server, verdict, last, info); err != nil {
		return client.IgnoreNotFound(err) // deleted in between
	}
	r.announce(server, before, verdict)
	return nil
}

// whileTrue adds what there is to know although the lock holds. rejecting says whose clients are all refused, if any are.
func (j judgement) whileTrue(note, rejecting string) judgement {
	j.rejecting = rejecting
	j.message = strings.TrimSpace(j.message + note + " " + rejecting)
	return j
}

func (r *Reconciler) write(ctx context.Context, server *v1alpha1.MCPServer, verdict judgement, last time.Time, info *probe.ServerInfo) error {
	status := mcpac.MCPServerStatus().
		WithConditions(conditionOf(server, verdict, r.Now())).
		WithAuthHealth(authHealthOf(verdict, last))
	if info := serverInfoOf(server, info); info != nil {
		status.WithServerInfo(info)
	}
	object := mcpac.MCPServer(server.Name, server.Namespace).WithStatus(status)
	if err := r.Status().Apply(ctx, object, FieldOwner, client.ForceOwnership); err != nil {
		return fmt.Errorf("write status: %w", err)
	}
	return nil
}

// brakeMessage is for whoever is woken at night: it is one of two things, and both want a person.
const brakeMessage = "The prober itself is suspect: more than a fifth of the servers that it tries seemed to open within one interval, " +
	"so no pod is taken out of its Service. Look at the operator's clock and version, and at what was changed in the whole cluster. " +
	"If the locks are open indeed, delete the pods."

// announce sends one Event for each change of status or reason. That a server begins without evidence is no news.
func (r *Reconciler) announce(server *v1alpha1.MCPServer, before *metav1.Condition, verdict judgement) {
	r.announceRejecting(server, before, verdict)
	beginning := before == nil || before.Status == metav1.ConditionUnknown
	if beginning && (verdict.reason == v1alpha1.ReasonNoPods || verdict.reason == v1alpha1.ReasonNotYetProbed) {
		return
	}
	if before != nil && before.Status == verdict.status && before.Reason == verdict.reason {
		return
	}
	if !r.ledger.announce(client.ObjectKeyFromObject(server), fmt.Sprint(server.UID, verdict.status, verdict.reason)) {
		return
	}
	kind := corev1.EventTypeNormal
	if verdict.status == metav1.ConditionFalse {
		kind = corev1.EventTypeWarning
	}
	r.Events.Eventf(server, nil, kind, verdict.reason, "Probe", "AuthHealthy is %s: %s", verdict.status, verdict.message)
}

// announceRejecting sends one Event when the clients of a provider begin to be all refused.
func (r *Reconciler) announceRejecting(server *v1alpha1.MCPServer, before *metav1.Condition, verdict judgement) {
	news := r.ledger.reject(client.ObjectKeyFromObject(server), verdict.rejecting)
	if known := before != nil && strings.Contains(before.Message, verdict.rejecting); news && !known {
		r.Events.Eventf(server, nil, corev1.EventTypeWarning, v1alpha1.EventProviderRejectsEveryone, "Probe", "%s", verdict.rejecting)
	}
}

// subjects are the pods as the judge sees them.
func subjects(pods []corev1.Pod, entries map[types.UID]entry, now time.Time, probe desired.Probe) []subject {
	var out []subject
	for _, pod := range pods {
		out = append(out, subject{
			pod:         pod.Name,
			ready:       containersReady(pod),
			terminating: pod.DeletionTimestamp != nil,
			young:       now.Sub(pod.CreationTimestamp.Time) < desired.StartBudget && gateOf(pod) != corev1.ConditionTrue,
			standing:    entries[pod.UID].standing.asOf(now, probe, entries[pod.UID].hindered),
			around:      entries[pod.UID].around,
			bypass:      entries[pod.UID].around.bypass(now),
			mesh:        hasMeshProxy(pod),
			bare:        entries[pod.UID].bare,
		})
	}
	return out
}

// newest gives the time of the newest evidence, or else of what status is from, and what the server said of itself
// last.
func newest(server *v1alpha1.MCPServer, entries map[types.UID]entry) (last time.Time, info *probe.ServerInfo) {
	var said time.Time
	if server.Status.AuthHealth != nil {
		last = server.Status.AuthHealth.LastProbeTime.Time
	}
	for _, e := range entries {
		if e.standing == nil {
			continue
		}
		if e.standing.at.After(last) {
			last = e.standing.at
		}
		if e.standing.server != nil && e.standing.at.After(said) {
			said, info = e.standing.at, e.standing.server
		}
	}
	return last, info
}

func conditionOf(server *v1alpha1.MCPServer, verdict judgement, now time.Time) *metav1ac.ConditionApplyConfiguration {
	all := append([]metav1.Condition(nil), server.Status.Conditions...)
	meta.SetStatusCondition(&all, metav1.Condition{
		Type: v1alpha1.ConditionAuthHealthy, Status: verdict.status, Reason: verdict.reason, Message: verdict.message,
		ObservedGeneration: server.Generation, LastTransitionTime: metav1.NewTime(now),
	})
	return mcpserver.Applied(*meta.FindStatusCondition(all, v1alpha1.ConditionAuthHealthy))
}

func authHealthOf(verdict judgement, last time.Time) *mcpac.AuthHealthApplyConfiguration {
	out := mcpac.AuthHealth().WithPods(int32(verdict.pods)).WithProvenPods(int32(verdict.provenPods)) //nolint:gosec // counts of pods
	if !last.IsZero() {
		out.WithLastProbeTime(metav1.NewTime(last))
	}
	if verdict.policy != "" {
		out.WithNetworkPolicy(verdict.policy)
	}
	if verdict.bare != "" {
		out.WithBareServer(verdict.bare)
	}
	for _, f := range verdict.failures {
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
func same(server *v1alpha1.MCPServer, before metav1.Condition, verdict judgement) bool {
	health := server.Status.AuthHealth
	return health != nil && before.Status == verdict.status && before.Reason == verdict.reason && before.Message == verdict.message &&
		before.ObservedGeneration == server.Generation &&
		health.NetworkPolicy == verdict.policy && health.BareServer == verdict.bare &&
		health.Pods == int32(verdict.pods) && health.ProvenPods == int32(verdict.provenPods) && //nolint:gosec // counts of pods
		(len(health.Failures) == 0 && len(verdict.failures) == 0 || equality.Semantic.DeepEqual(health.Failures, verdict.failures))
}

func heartbeatDue(server *v1alpha1.MCPServer, last time.Time) bool {
	return last.Sub(server.Status.AuthHealth.LastProbeTime.Time) >= heartbeat
}

// stale tells that status says True on evidence that nobody would call fresh.
func stale(server *v1alpha1.MCPServer, before *metav1.Condition, oldest time.Time) bool {
	health := server.Status.AuthHealth
	return before != nil && before.Status == metav1.ConditionTrue && (health == nil || health.LastProbeTime.Time.Before(oldest))
}
