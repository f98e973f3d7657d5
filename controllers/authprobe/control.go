package authprobe

import (
	"context"
	"time"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/probe"
)

// askAsStranger puts to a gate what needs no good token: that it is open can be seen so, that it holds cannot.
func (r *Reconciler) askAsStranger(ctx context.Context, target probe.Target, known entry, result *observation) error {
	stranger, err := probe.Stranger()
	if err != nil {
		return err
	}
	target.Providers, target.Policy, target.Exact = []probe.Provider{stranger}, probe.Policy{}, false
	if result.tier = probe.Beat; known.rounds == 0 {
		result.tier = probe.Full
	}
	target.Tier = result.tier
	report, err := r.Prober.Run(ctx, target)
	if err != nil {
		return err
	}
	report, verdict := report.AsStranger()
	result.evidence, result.results = fromReport(report, verdict, r.Now()), report.Results
	if verdict.Kind == probe.Inconclusive && verdict.Case == probe.Valid {
		result.evidence = controlMissing(r.Now())
	}
	return nil
}

// controlMissing is the evidence where no good token is to be had: what refuses everybody refuses bad tokens, too.
func controlMissing(at time.Time) evidence {
	return evidence{
		at: at, grade: unknown, reason: v1alpha1.ReasonControlMissing, question: "control",
		expected: "a good token to try", seen: "no provider of type Managed",
		message: "The operator has no good token for it, because no provider is of type Managed: that a bad one is refused proves nothing. " +
			"Add a provider of type Managed beside the others, or let pods take traffic without proof (authProbe.readinessGate: Off).",
	}
}
