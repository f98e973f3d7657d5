package runner

import (
	"cmp"
	"context"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/client"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/plan"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/verdicts"
)

// askCase asks what must be refused.
func (r *check) askCase(ctx context.Context, q prepared) error {
	label := q.Label()
	if q.AfterControl && !r.letIn(q.Issuer) {
		label.Outcome, label.Seen = probe.NotTried, "the control was not let in"
		r.results = append(r.results, label)
		return nil
	}
	r.pace(ctx)
	q, err := r.refresh(q)
	if err != nil {
		return err
	}
	if q.Profile != nil {
		defer func(before client.Profile) { r.client.Profile = before }(r.client.Profile)
		r.client.Profile = *q.Profile
	}
	if q.Tools != nil {
		defer func(before []probe.Tool) { r.client.Tools = before }(r.client.Tools)
		r.client.Tools = q.Tools
	}
	defer func() { r.limits = 0 }()
	r.limits = q.Limits
	before := len(r.results)
	outcome := r.ask(ctx, label, q.attempted(r))
	if len(r.results) == before { // skipped after all: it has had its turn
		r.count(q, probe.Passed)
		return nil
	}
	r.asked = append(r.asked, verdicts.Asked{Seed: cmp.Or(q.Seed, r.Seed), Turn: q.Turn, Tools: r.client.Tools, First: before, Second: -1})
	r.count(q, outcome)
	if !r.wantsAgain(label, outcome) {
		return nil
	}
	return r.askAgain(ctx, q, outcome)
}

// attempted puts the test case.
func (q prepared) attempted(r *check) func(context.Context) client.Exchange {
	return func(ctx context.Context) client.Exchange { return q.attempt(ctx, r.client) }
}

// count moves the turn past a row that was asked.
func (r *check) count(q prepared, outcome probe.Outcome) {
	switch {
	case !q.Row || q.Seed != 0 || outcome == probe.NotTried:
	case q.Heavy:
		r.taken.heavy++
	default:
		r.taken.light++
	}
}

// wantsAgain reports whether a test case is asked again at once: whoever was let in always; another wrong answer, for some
// of a check; and the right one to a test case that has failed before, as long as it takes more to refute it.
func (r *check) wantsAgain(asked probe.Result, outcome probe.Outcome) bool {
	switch i := r.failures.Find(asked); {
	case outcome == probe.Accepted:
		return true
	case probe.IsAnswer(outcome):
		r.confirmed++
		return r.confirmed <= probe.MaxConfirmed
	case outcome == probe.Passed && i >= 0:
		return r.failures.List[i].Right+1 < r.failures.List[i].Needed()
	default:
		return false
	}
}

// askAgain puts a test case once more, freshly minted and on a new connection, and a positive control where it got a wrong
// answer: an answer that came from elsewhere, or once, is no proof.
func (r *check) askAgain(ctx context.Context, q prepared, outcome probe.Outcome) error {
	asked, now := &r.asked[len(r.asked)-1], r.now()
	var err error
	if q.attempt, err = q.Prepare(now); err != nil {
		return err
	}
	r.pace(ctx)
	asked.Second = len(r.results)
	second := r.ask(ctx, q.Label(), q.attempted(r))
	if len(r.results) == asked.Second {
		asked.Second = -1
	}
	if outcome == probe.Passed {
		return nil
	}
	r.limits = 0
	beside := r.Issuers[0]
	if q.Issuer != nil {
		beside = q.Issuer
	}
	control, err := beside.Mint(now)
	if err != nil {
		return err
	}
	passed := r.askPositiveControl(ctx, beside, control, false) == probe.Passed
	same := second == outcome || outcome != probe.Accepted && probe.IsAnswer(second)
	r.results[asked.First].Confirmed = same && passed
	return nil
}

// letIn reports whether the positive control of the issuer was let in at the beginning.
func (r *check) letIn(from *plan.Issuer) bool {
	for _, result := range r.results {
		if result.Case == probe.Valid && result.Provider == from.Name {
			return result.Outcome == probe.Passed
		}
	}
	return false
}
