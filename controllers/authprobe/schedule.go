package authprobe

import (
	"context"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/internal/authhealth"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/gatestate"
	"github.com/mcp-gatehouse/gatehouse/internal/keyobservation"
	"github.com/mcp-gatehouse/gatehouse/internal/podstate"
	"github.com/mcp-gatehouse/gatehouse/internal/probebudget"
)

// tryDue puts a round to every pod that is due and answers or takes traffic, all at once. Of the findings it keeps
// those of pods that exist.
func (r *Reconciler) tryDue(ctx context.Context, p *pass) {
	settings := p.settings().Probe
	results := make([]*authhealth.PodFindings, len(p.pods))
	var rounds sync.WaitGroup
	for i, pod := range p.pods {
		known, seenBefore := p.findings[pod.UID]
		// A pod that takes traffic without a gate that runs is looked at, not passed over.
		if p.use == nil || !podstate.IsAnswering(pod) && !podstate.ContainersReady(pod) {
			if seenBefore {
				known.Due, known.Hindered = r.Now().Add(settings.Interval), authhealth.HinderedByKeys
				if p.use != nil {
					known.Hindered = "its gate does not run"
				}
				results[i] = &known
			}
			continue
		}
		if !seenBefore {
			known.Failures = authhealth.Recalled(p.server, pod)
		}
		known = known.Arrive(seenBefore, pod, p.server, r.Now(), r.Jitter())
		results[i] = &known
		if r.isDue(&known, settings, len(p.use.Controls)) {
			rounds.Go(func() { known = r.tryOne(ctx, p, pod, known) })
		}
	}
	rounds.Wait()
	before := p.findings
	p.findings = authhealth.Findings{}
	for i, pod := range p.pods {
		if results[i] != nil {
			p.findings[pod.UID] = *results[i]
		}
	}
	p.findings = p.findings.Hasten(before, r.Now())
}

// isDue tells that a pod is to be tried now, and pays for it. What the budget does not allow is put off, and not all of
// it to the same moment. Pods whose evidence is young leave others the way.
func (r *Reconciler) isDue(known *authhealth.PodFindings, settings desired.Probe, controls int) bool {
	now := r.Now()
	if now.Before(known.Due) {
		return false
	}
	// A basis that changes is known only when the gate has said so: the round is paid for as what it is likely to be.
	cost := probebudget.Cost(known.Tier(known.Full.Basis, now), controls)
	if known.Urgent || known.IsProven() && now.Sub(known.Standing.At) > authhealth.ProofLasts(settings)-settings.Interval {
		r.budget.Charge(min(cost, probebudget.FullCost), now) // else its proof would lapse for nothing that it did
		return true
	}
	take := r.budget.Take
	if known.IsProven() && now.Sub(known.Standing.At) < 2*settings.Interval {
		take = r.budget.TakeSpare
	}
	if wait := take(cost, now); wait > 0 {
		known.Hindered = authhealth.HinderedByBudget
		known.Due = now.Add(wait + time.Duration(r.Jitter()*float64(time.Second)))
		return false
	}
	return true
}

// tryOne returns the findings of a pod after a round.
func (r *Reconciler) tryOne(ctx context.Context, p *pass, pod corev1.Pod, known authhealth.PodFindings) authhealth.PodFindings {
	name, settings, began := client.ObjectKeyFromObject(p.server), p.settings(), r.Now()
	attempt := round{r: r, server: p.server, pod: pod, known: known, elsewhere: p.findings.FailedBeside(pod.UID), use: *p.use}
	seen, counts := attempt.run(ctx)
	if !counts {
		known.Due, known.Hindered = r.Now().Add(time.Second), "its rounds do not count; the log of the operator says why"
		return known
	}
	r.metrics.Round(name, seen, began)
	if seen.State != nil {
		r.KeyObservations.Load(p.server, pod.UID, keyobservation.Report{
			Keys: seen.State.Keys, Unserved: gatestate.UnservedReasons(*seen.State, p.use.Expected), Secrets: seen.State.Secrets,
			Absence: authhealth.AbsenceOf(*seen.State, settings.Port),
		}, r.Now())
		r.metrics.Heard(name, *seen.State)
	}
	known = known.Learn(seen, settings.Probe, r.Jitter())
	known.Due = r.Now().Add(known.Delay(settings.Probe, r.Jitter()))
	if again := known.Exposure.Recheck(); !again.IsZero() && again.Before(known.Due) {
		known.Due = again
	}
	return known
}
