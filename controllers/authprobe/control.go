package authprobe

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/probe"
)

// ask puts the cases of a round to a gate. That a good token was refused counts only if it is still the one to try with:
// whoever brings a key or a token may have replaced it meanwhile.
func (r *Reconciler) ask(ctx context.Context, server *v1alpha1.MCPServer, target probe.Target, use credentials, result *observation) error {
	result.tier = target.Tier
	report, err := r.Prober.Run(ctx, target)
	result.evidence = fromReport(report, report.Verdict(), r.Now())
	result.results, result.replay = report.Results, &report.Replay
	if err == nil {
		r.budget.charge(report.Extra, r.Now())
		// What was not handed on, because the gate has yet to be configured, stays.
		result.asked.turn, result.asked.failures = report.Turn, remembered(result.asked.failures, target.Failures, report.Failures)
		if target.Tier == probe.Full && report.Verdict().Kind == probe.Locked {
			result.asked.strange = probe.Failures{} // there is a good token now, and all was asked beside it
		}
	}
	if err != nil || result.reason != v1alpha1.ReasonValidTokenRejected {
		return err
	}
	if unanswered := use.unanswered(report, r.Now()); unanswered != nil {
		result.evidence = *unanswered
		return nil
	}
	now, err := r.credentials(ctx, server)
	if err == nil && (now == nil || now.digest() != use.digest()) {
		err = errors.New("the keys or the token to try with were replaced during the round")
	}
	return err
}

// remembered are the failures after a round that was given some of those that were known.
func remembered(known, given, after probe.Failures) probe.Failures {
	if given.Len() == 0 {
		return known.With(after)
	}
	return after
}

// askAsStranger puts to a gate what needs no good token: that it is open can be seen so, that it holds cannot.
func (r *Reconciler) askAsStranger(ctx context.Context, target probe.Target, known entry, use credentials, result *observation) error {
	stranger, err := probe.Stranger()
	if err != nil {
		return err
	}
	target.Providers, target.Policy, target.Exact = []probe.Provider{stranger}, probe.Policy{}, false
	if result.tier = probe.Beat; known.rounds == 0 {
		result.tier = probe.Full
	}
	target.Tier, target.Failures = result.tier, known.strange
	report, err := r.Prober.Run(ctx, target)
	if err != nil {
		return err
	}
	report, verdict := report.AsStranger()
	result.evidence, result.results = fromReport(report, verdict, r.Now()), report.Results
	result.asked.turn, result.asked.strange = report.Turn, report.Failures
	if verdict.Kind == probe.Inconclusive && verdict.Case == probe.Valid {
		result.evidence = controlMissing(use.untried, r.Now())
	}
	return nil
}

// controlMissing is the evidence where no good token is to be had: what refuses everybody refuses bad tokens, too.
func controlMissing(providers []wanting, at time.Time) evidence {
	message := "The operator has no good token to try it with: that a bad one is refused proves nothing."
	for _, p := range providers {
		message += " Provider " + p.provider + ": " + p.why
	}
	return evidence{
		at: at, grade: unknown, reason: v1alpha1.ReasonControlMissing, question: "control",
		expected: "a good token to try", seen: "none", message: message,
	}
}

// unanswered is the evidence that the gate let a probe in and the server behind it did not, nil if that is not so. Such a
// server wants the tokens that clients are let in with, and gets none of the probe key's. One that gets nobody's refuses
// clients as well: that is no matter of the control.
func (c credentials) unanswered(report probe.Report, at time.Time) *evidence {
	of := func(name string) bool {
		return slices.ContainsFunc(c.controls, func(with control) bool { return with.Name == name && with.from == byProbeKey })
	}
	refused := func(result probe.Result) bool {
		return result.Case == probe.Valid && result.Outcome == probe.Rejected && result.Reason == "" && of(result.Provider)
	}
	i := slices.IndexFunc(report.Results, refused)
	if i < 0 || !c.forwards {
		return nil
	}
	found := report.Results[i]
	return &evidence{
		at: at, grade: unknown, reason: v1alpha1.ReasonControlMissing, question: string(probe.Valid), expected: found.Expected, seen: found.Seen,
		message: "The gate let the operator's probe of provider " + found.Provider + " in, and the server behind it refused it (" + found.Seen +
			"): it wants a token (auth.forward.authorization is Forward), and is never passed one of the probe key. " +
			"Put a token that it takes into a Secret, name that in authProbe.tokenSecretRef, and set authProbe.credential to SecretRef.",
	}
}

// note says to a person which providers were not tried with tokens of their own keys; empty if all were.
func (c *credentials) note() string {
	if c == nil {
		return ""
	}
	note := ""
	if probed := c.triedBy(byProbeKey); probed != "" {
		note = " Tried with the operator's probe key: " + probed + "; the keys of the issuer are loaded."
	}
	if called := c.triedBy(accountToken); called != "" {
		note += " Tried with a token of the operator's own ServiceAccount: " + called + "."
	}
	if brought := c.triedBy(broughtToken); brought != "" {
		note += " Tried with the token of authProbe.tokenSecretRef: " + brought + "."
	}
	for _, p := range c.untried {
		note += " A valid token of provider " + p.provider + " was not tried; its keys are loaded. The reason: " + p.why
	}
	return note
}

// triedBy names the providers with a good token of such an origin.
func (c *credentials) triedBy(from origin) string {
	var names []string
	for _, with := range c.controls {
		if with.from == from {
			names = append(names, with.of)
		}
	}
	return strings.Join(names, ", ")
}
