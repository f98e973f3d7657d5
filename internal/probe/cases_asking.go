package probe

import (
	"cmp"
	"context"
	"time"
)

// askQuestion asks what must be refused.
func (r *round) askQuestion(ctx context.Context, q prepared) error {
	label := q.label()
	if q.afterControl && !r.letIn(q.provider) {
		label.Outcome, label.Seen = NotTried, "the control was not let in"
		r.results = append(r.results, label)
		return nil
	}
	r.pace(ctx)
	q, err := r.refresh(q)
	if err != nil {
		return err
	}
	if q.disguise != nil {
		defer func(before disguise) { r.disguise = before }(r.disguise)
		r.disguise = *q.disguise
	}
	if q.tools != nil {
		defer func(before []tool) { r.tools = before }(r.tools)
		r.tools = q.tools
	}
	defer func() { r.limits = 0 }()
	r.limits = q.limits
	before := len(r.results)
	outcome := r.ask(ctx, label, q.attempted(r))
	if len(r.results) == before { // skipped after all: it has had its turn
		r.count(q, Passed)
		return nil
	}
	r.asked = append(r.asked, asking{seed: cmp.Or(q.seed, r.seed), turn: q.turn, tools: r.tools, first: before, second: -1})
	r.count(q, outcome)
	if !r.wantsAgain(label, outcome) {
		return nil
	}
	return r.askAgain(ctx, q, outcome)
}

// attempted puts the question.
func (q prepared) attempted(r *round) func(context.Context) finding {
	return func(ctx context.Context) finding { return q.attempt(ctx, r) }
}

// count moves the turn past a row that was asked.
func (r *round) count(q prepared, outcome Outcome) {
	switch {
	case !q.row || q.seed != 0 || outcome == NotTried:
	case q.heavy:
		r.taken.heavy++
	default:
		r.taken.light++
	}
}

// wantsAgain reports whether a question is asked again at once: whoever was let in always; another wrong answer, for some
// of a round; and the right one to a question that has failed before, as long as it takes more to refute it.
func (r *round) wantsAgain(asked Result, outcome Outcome) bool {
	switch i := r.failures.find(asked); {
	case outcome == Accepted:
		return true
	case isAnswer(outcome):
		r.confirmed++
		return r.confirmed <= maxConfirmed
	case outcome == Passed && i >= 0:
		return r.failures.all[i].Right+1 < r.failures.all[i].needed()
	default:
		return false
	}
}

// askAgain puts a question once more, freshly minted and on a new connection, and a control where it got a wrong answer: an
// answer that came from elsewhere, or once, is no proof.
func (r *round) askAgain(ctx context.Context, q prepared, outcome Outcome) error {
	asked, now := &r.asked[len(r.asked)-1], r.prober.now()
	var err error
	if q.attempt, err = q.prepare(now); err != nil {
		return err
	}
	r.pace(ctx)
	asked.second = len(r.results)
	second := r.ask(ctx, q.label(), q.attempted(r))
	if len(r.results) == asked.second {
		asked.second = -1
	}
	if outcome == Passed {
		return nil
	}
	r.limits = 0
	beside := r.issuers[0]
	if q.provider != nil {
		beside = q.provider
	}
	control, err := beside.mint(now)
	if err != nil {
		return err
	}
	passed := r.askControl(ctx, beside, control, false) == Passed
	same := second == outcome || outcome != Accepted && isAnswer(second)
	r.results[asked.first].Confirmed = same && passed
	return nil
}

// letIn tells whether the control of the issuer was let in at the beginning.
func (r *round) letIn(from *issuer) bool {
	for _, result := range r.results {
		if result.Case == Valid && result.Provider == from.Name {
			return result.Outcome == Passed
		}
	}
	return false
}

// pace keeps a round with many issuers below the rate at which gates stop telling reasons.
func (r *round) pace(ctx context.Context) {
	if r.refusals++; r.refusals <= freeRefusals || r.stopped != "" {
		return
	}
	timer := time.NewTimer(refusalInterval)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
