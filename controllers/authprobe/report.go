package authprobe

import (
	"context"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	mcpac "github.com/mcp-gatehouse/gatehouse/api/v1alpha1/applyconfiguration/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/authhealth"
	"github.com/mcp-gatehouse/gatehouse/internal/circuitbreaker"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/servicehealth"
)

// shortly is how long a server may begin without a word that there is no evidence yet. Most have some by then.
const shortly = 10 * time.Second

// silence is the time for which nothing is said of a server: it begins, and nothing is known for or against it. 0: something
// is to be said.
func silence(server *v1alpha1.MCPServer, findings authhealth.Findings, service servicehealth.View, now time.Time) time.Duration {
	said := meta.FindStatusCondition(server.Status.Conditions, v1alpha1.ConditionAuthHealthy) != nil
	if said || desired.Resolve(server).Replicas == 0 || service.Finding != nil {
		return 0
	}
	for _, e := range findings {
		if e.Standing != nil {
			return 0
		}
	}
	begun := now
	if accepted := acceptedOf(server); accepted != nil {
		begun = accepted.LastTransitionTime.Time
	}
	return max(0, begun.Add(shortly).Sub(now))
}

// report judges the server and writes what changed. It is the one place where this controller writes the status of an
// MCPServer.
func (r *Reconciler) report(ctx context.Context, p *pass) error {
	now, settings, server := r.Now(), p.settings(), p.server
	oldest := now.Add(-lifetime(settings.Probe.Interval))
	seen := authhealth.Subjects(p.pods, p.findings, now, settings)
	verdict, keep := authhealth.Judge(seen, settings.Replicas == 0)
	before := meta.FindStatusCondition(server.Status.Conditions, v1alpha1.ConditionAuthHealthy)
	if keep && p.service.Finding == nil {
		if !stale(server, before, oldest) {
			if before != nil {
				r.metrics.Verdict(client.ObjectKeyFromObject(server), before.Status, before.Reason)
			}
			return nil
		}
		verdict = authhealth.Judgement{
			Status: metav1.ConditionUnknown, Reason: v1alpha1.ReasonEvidenceStale,
			Message: "The last round is too long ago: nobody has tried the lock since. The pods are being tried now.",
		}
	}
	verdict = verdict.WithMissingKeys(seen).WithCertificates(seen, settings.TLSSecret, now).WithService(p.service.Finding).WithNotes(seen)
	var refused map[string]authhealth.Streak
	if verdict.Status == metav1.ConditionTrue {
		refused = authhealth.AllRefused(p.findings)
		verdict = verdict.WhileTrue(p.use.Note()+p.service.Note(settings.Probe.FailureThreshold)+authhealth.SessionsNote(p.findings), authhealth.RejectingNote(refused, settings.Providers))
	}
	verdict.Message += superseded(server)
	if p.tripped && standingOf(p.pods, p.findings) >= circuitbreaker.Open {
		verdict.Message += " " + suspectMessage
	}
	r.metrics.Judged(client.ObjectKeyFromObject(server), verdict, settings.Providers, refused)
	last, info := newest(server, p.findings)
	if before != nil && same(server, *before, verdict) && !heartbeatDue(server, last) {
		return nil
	}
	if err := r.write(ctx, server, verdict, last, info); err != nil {
		return client.IgnoreNotFound(err) // deleted in between
	}
	r.announce(server, before, verdict)
	return nil
}

func (r *Reconciler) write(ctx context.Context, server *v1alpha1.MCPServer, verdict authhealth.Judgement, last time.Time, info *probe.ServerInfo) error {
	status := mcpac.MCPServerStatus().
		WithConditions(conditionOf(server, verdict, r.Now())).
		WithAuthHealth(authHealthOf(verdict, last))
	if refused := refusedCondition(server, verdict, r.Now()); refused != nil {
		status.WithConditions(refused)
	}
	if info := serverInfoOf(server, info); info != nil {
		status.WithServerInfo(info)
	}
	object := mcpac.MCPServer(server.Name, server.Namespace).WithStatus(status)
	if err := r.Status().Apply(ctx, object, FieldOwner, client.ForceOwnership); err != nil {
		return fmt.Errorf("write status: %w", err)
	}
	return nil
}

// suspectMessage is for whoever is woken at night: it is one of two things, and both want a person.
const suspectMessage = "The prober itself is suspect: more than a fifth of the servers that it tries seemed to open within one interval, " +
	"so no pod is taken out of its Service. Look at the operator's clock and version, and at what was changed in the whole cluster. " +
	"If the locks are open indeed, delete the pods."

// announce sends one Event for each change of status or reason. That a server begins without evidence is no news.
func (r *Reconciler) announce(server *v1alpha1.MCPServer, before *metav1.Condition, verdict authhealth.Judgement) {
	r.announceRejecting(server, before, verdict)
	beginning := before == nil || before.Status == metav1.ConditionUnknown
	if beginning && (verdict.Reason == v1alpha1.ReasonNoPods || verdict.Reason == v1alpha1.ReasonNotYetProbed) {
		return
	}
	if before != nil && before.Status == verdict.Status && before.Reason == verdict.Reason {
		return
	}
	if !r.findings.announce(client.ObjectKeyFromObject(server), fmt.Sprint(server.UID, verdict.Status, verdict.Reason)) {
		return
	}
	kind := corev1.EventTypeNormal
	if verdict.Status == metav1.ConditionFalse {
		kind = corev1.EventTypeWarning
	}
	r.Events.Eventf(server, nil, kind, verdict.Reason, "Probe", "AuthHealthy is %s: %s", verdict.Status, verdict.Message)
}

// announceRejecting sends one Event when the clients of a provider begin to be all refused.
func (r *Reconciler) announceRejecting(server *v1alpha1.MCPServer, before *metav1.Condition, verdict authhealth.Judgement) {
	news := r.findings.reject(client.ObjectKeyFromObject(server), verdict.Rejecting)
	if known := before != nil && strings.Contains(before.Message, verdict.Rejecting); news && !known {
		r.Events.Eventf(server, nil, corev1.EventTypeWarning, v1alpha1.ReasonProviderRejectsEveryone, "Probe", "%s", verdict.Rejecting)
	}
}
