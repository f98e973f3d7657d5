package authprobe

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/authhealth"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/desired/podlock"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/admin"
	"github.com/mcp-gatehouse/gatehouse/internal/podstate"
	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/runner"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/verdicts"
	"github.com/mcp-gatehouse/gatehouse/internal/probeplan"
	"github.com/mcp-gatehouse/gatehouse/internal/servicehealth"
)

// questionsTo is what a gate that has just said this of itself is asked; of a tier, unless it has yet to be configured.
func (t *round) questionsTo(ctx context.Context, gate string, before admin.State) probe.Target {
	specs := t.r.specs()
	tier, configured := t.known.Tier(t.result.Basis, t.r.Now()), specs.isConfigured(ctx, t.server, t.pod, before)
	if !configured {
		tier = probe.Quick
	}
	on := probeplan.Target(t.server, gate, t.use, before, probeplan.Question{
		TLS: podlock.ServesTLS(t.pod.Spec), Tier: tier, RequestID: t.use.RequestID(t.pod, t.r.Now), Seed: t.r.Prober.Seed(),
	})
	on.Turn, on.Proxied = t.known.Turn, podstate.HasMeshProxy(t.pod)
	if configured { // What the older configuration lets in is nobody's failure.
		on.Failures, on.EachHost = t.known.Failures.Keep(probeplan.IsProviderOf(t.server)), t.known.Urgent
		on.Elsewhere = t.elsewhere.Keep(probeplan.IsProviderOf(t.server))
		var service corev1.Service
		_ = t.r.Get(ctx, client.ObjectKeyFromObject(t.server), &service) // One that is not there has no address.
		on.Hosts = probeplan.Hosts(t.server, servicehealth.Address(service))
	}
	if !specs.isListed(ctx, t.server, before) {
		// The one by its id stands in every version's list.
		on.Policy.RevokedSubject, on.Policy.RevokedBefore = "", ""
	}
	return on
}

// put puts the cases to the gate, with what there is of good tokens.
func (t *round) put(ctx context.Context, on probe.Target) error {
	t.result.Asked = &authhealth.Memory{Turn: t.known.Turn, Failures: t.known.Failures, Strange: t.known.Strange}
	if len(on.Providers) == 0 {
		return t.askAsStranger(ctx, on)
	}
	on.Replay = t.known.Replayed(t.result.Signer)
	on.Sessions, on.KeepSessions = t.known.Sessions, true
	err := t.ask(ctx, on)
	if err != nil || t.result.Grade != authhealth.Proven || t.result.Tier != probe.Full {
		return err
	}
	return t.askFallback(ctx, on)
}

// ask puts the cases of a round to a gate. That a good token was refused counts only if it is still the one to try with:
// whoever brings a key or a token may have replaced it meanwhile.
func (t *round) ask(ctx context.Context, target probe.Target) error {
	t.result.Tier = target.Tier
	report, err := t.r.Prober.Run(ctx, target)
	t.result.Evidence = authhealth.FromReport(report, verdicts.Of(report), t.r.Now())
	t.result.Results, t.result.Replay = report.Results, &report.Replay
	if err == nil {
		t.result.Sessions = &report.Sessions
		t.r.budget.Charge(report.Extra, t.r.Now())
		// What was not handed on, because the gate has yet to be configured, stays.
		t.result.Asked.Turn, t.result.Asked.Failures = report.Turn, remembered(t.result.Asked.Failures, target.Failures, report.Failures)
		if target.Tier == probe.Full && verdicts.Of(report).Kind == probe.Locked {
			t.result.Asked.Strange = probe.Failures{} // there is a good token now, and all was asked beside it
		}
	}
	if err != nil || t.result.Reason != v1alpha1.ReasonValidTokenRejected {
		return err
	}
	if unanswered := t.use.Unanswered(report, t.r.Now()); unanswered != nil {
		t.result.Evidence = *unanswered
		return nil
	}
	t.result.Message += authhealth.RejectedAdvice(t.server, verdicts.Of(report))
	now, err := t.r.credentials(ctx, t.server)
	if err == nil && (now == nil || now.Digest() != t.use.Digest()) {
		err = errors.New("the keys or the token to try with were replaced during the round")
	}
	return err
}

// askAsStranger puts to a gate what needs no good token: that it is open can be seen so, that it holds cannot.
func (t *round) askAsStranger(ctx context.Context, target probe.Target) error {
	stranger, err := runner.UnauthenticatedProvider()
	if err != nil {
		return err
	}
	target.Providers, target.Policy, target.Exact = []probe.Provider{stranger}, probe.Policy{}, false
	if t.result.Tier = probe.Quick; t.known.Rounds == 0 {
		t.result.Tier = probe.Full
	}
	target.Tier, target.Failures = t.result.Tier, t.known.Strange
	report, err := t.r.Prober.Run(ctx, target)
	if err != nil {
		return err
	}
	report, verdict := verdicts.Unauthenticated(report)
	t.result.Evidence, t.result.Results = authhealth.FromReport(report, verdict, t.r.Now()), report.Results
	t.result.Asked.Turn, t.result.Asked.Strange = report.Turn, report.Failures
	if verdict.Kind == probe.Inconclusive && verdict.Case == probe.Valid {
		t.result.Evidence = probeplan.ControlMissing(t.use.Untried, t.r.Now())
	}
	return nil
}

// remembered are the failures after a round that was given some of those that were known.
func remembered(known, given, after probe.Failures) probe.Failures {
	if given.Len() == 0 {
		return known.With(after)
	}
	return after
}

// fallbackCases are asked at the gate's fallback port. It is the same gate there, as its own tests hold; this is to see that
// it is, and nobody else.
var fallbackCases = []probe.Case{probe.NoToken, probe.Malformed}

// askFallback asks the gate of a pod at its fallback port, where clients come while no pod is ready, what needs no token. It
// turns a proof into evidence against the lock where somebody is let in there, and leaves it as it is otherwise: a port that
// gives no answer lets nobody in.
func (t *round) askFallback(ctx context.Context, on probe.Target) error {
	where, err := podstate.Address(t.pod, desired.FallbackPortName)
	if err != nil {
		return nil //nolint:nilerr // It was made by an older operator, and clients are not led to it.
	}
	door, err := url.Parse(on.URL)
	if err != nil {
		return fmt.Errorf("ask at the fallback port: %w", err)
	}
	door.Host = where
	target := probe.Target{URL: door.String(), Exact: true, Timeout: on.Timeout, CertificateSHA256: on.CertificateSHA256, RequestID: on.RequestID}
	t.r.budget.Charge(len(fallbackCases), t.r.Now())
	for _, asked := range fallbackCases {
		answer, err := t.r.Prober.Ask(ctx, target, asked)
		if err != nil {
			return err
		}
		if answer.Confirmed {
			t.result.Evidence = openAtFallback(where, answer, t.result)
			return nil
		}
	}
	return nil
}

// openAtFallback is the evidence that a gate lets somebody in at its fallback port.
func openAtFallback(where string, answer probe.Result, result authhealth.Observation) authhealth.Evidence {
	against, reason := authhealth.Classify(probe.Verdict{Kind: probe.Open, Case: answer.Case})
	return authhealth.Evidence{
		At: result.At, Grade: against, Reason: reason, Confirmed: true, Server: result.Server,
		Question: string(answer.Case) + " (fallback port)", Expected: answer.Expected, Seen: answer.Seen,
		Message: fmt.Sprintf("At its fallback port %s, where clients come while no pod of the Service is ready, %s was let in, twice (%s). "+
			"Delete the pod; if the next one is no better, look at the gate's image and at what else has that port.", where, answer.Case.Asked(), answer.Seen),
	}
}
