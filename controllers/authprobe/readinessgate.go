package authprobe

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/authhealth"
	"github.com/mcp-gatehouse/gatehouse/internal/circuitbreaker"
	"github.com/mcp-gatehouse/gatehouse/internal/podstate"
)

// setGates sets the readiness gates of pods about which this stands, True or False, and notes in the findings which it has
// withdrawn.
func (r *Reconciler) setGates(ctx context.Context, p *pass, to corev1.ConditionStatus) error {
	for _, pod := range p.pods {
		e, found := p.findings[pod.UID]
		status, decided := authhealth.WantedGate(e, p.tripped)
		if !found || !decided || status != to || !authhealth.MovesGate(pod, status, p.tripped) {
			continue
		}
		reason, message := e.Standing.Reason, e.Standing.Message
		if status == corev1.ConditionTrue && e.Standing.Grade == authhealth.Open {
			reason, message = v1alpha1.ReasonProven, authhealth.GivenBack
		}
		condition := corev1ac.PodCondition().
			WithType(v1alpha1.ConditionPodAuthProven).
			WithStatus(status).
			WithReason(reason).
			WithMessage(message).
			WithLastTransitionTime(metav1.NewTime(r.Now().Truncate(time.Second)))
		object := corev1ac.Pod(pod.Name, pod.Namespace).WithStatus(corev1ac.PodStatus().WithConditions(condition))
		if err := r.Status().Apply(ctx, object, FieldOwner, client.ForceOwnership); client.IgnoreNotFound(err) != nil {
			return fmt.Errorf("set readiness gate of pod %s: %w", pod.Name, err)
		}
		e.Withdrawn = e.Standing.Grade == authhealth.Open && (e.Withdrawn || podstate.IsVouchedFor(pod))
		p.findings[pod.UID] = e
	}
	return nil
}

// standingOf tells the circuit breaker how a server stands.
func standingOf(pods []corev1.Pod, findings authhealth.Findings) circuitbreaker.State {
	how := circuitbreaker.Untried
	for _, pod := range pods {
		switch e := findings[pod.UID]; {
		case e.Standing == nil:
		case e.Standing.Grade != authhealth.Open:
			how = max(how, circuitbreaker.NotOpen)
		case podstate.IsVouchedFor(pod):
			how = max(how, circuitbreaker.TurnedOpen)
		default:
			how = max(how, circuitbreaker.Open)
		}
	}
	return how
}

// tellUnlike tells the other controller of which objects gates have something else than was published. While the prober itself is
// suspect it tells nothing.
func (r *Reconciler) tellUnlike(p *pass) {
	for _, pod := range p.pods {
		e, object := p.findings[pod.UID], ""
		if e.Standing == nil || p.tripped {
			continue
		}
		if e.Standing.Reason == v1alpha1.ReasonGateConfigMismatch {
			object = e.Standing.Unlike
		}
		r.KeyObservations.Unlike(p.server, pod.UID, object, r.Now())
	}
}
