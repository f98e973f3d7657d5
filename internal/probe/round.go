package probe

import (
	"context"
	"time"
)

// maxSilences ends a round: each silence costs a whole time limit, and two of them say what a third would say.
const maxSilences = 2

// round is one Run.
type round struct {
	prober   *Prober
	target   Target
	started  time.Time
	disguise disguise
	dialect  dialect
	clock    clockReading
	secrets  secrets
	server   *ServerInfo
	results  []Result
	silences int
	// stopped says why the remaining cases are not asked; "" while they are.
	stopped string
}

// run asks the control, the negatives, and the control again. All tokens are minted beforehand, in the same second.
func (r *round) run(ctx context.Context) error {
	control, err := r.mintControl()
	if err != nil {
		return err
	}
	cases := negatives()
	bearers := make([]string, len(cases))
	for i, negative := range cases {
		if bearers[i], err = r.mint(negative); err != nil {
			return err
		}
	}
	r.ask(ctx, Valid, expectedResult, func(ctx context.Context) finding { return r.handshake(ctx, control) })
	for i, negative := range cases {
		r.askNegative(ctx, negative, bearers[i])
	}
	r.ask(ctx, Valid, expectedResult, func(ctx context.Context) finding { return r.open(ctx, control) })
	return nil
}

// askNegative asks a case that must be refused. A bad request that was let in is asked again at once, freshly minted
// and on a new connection, beside a control: an answer that came from elsewhere, or once, is no proof of an open gate.
func (r *round) askNegative(ctx context.Context, negative negative, bearer string) {
	expected := negative.expected(r.target.Exact)
	try := func(bearer string) func(context.Context) finding {
		return func(ctx context.Context) finding { return r.refusal(ctx, negative, bearer) }
	}
	if r.ask(ctx, negative.name, expected, try(bearer)) != Accepted {
		return
	}
	accepted := len(r.results) - 1
	again, err := r.mint(negative)
	if err != nil {
		return
	}
	control, err := r.mintControl()
	if err != nil {
		return
	}
	first := r.ask(ctx, negative.name, expected, try(again))
	second := r.ask(ctx, Valid, expectedResult, func(ctx context.Context) finding { return r.open(ctx, control) })
	r.results[accepted].Confirmed = first == Accepted && second == Passed
}

// ask runs one case under its time limit and keeps its result.
func (r *round) ask(ctx context.Context, name Case, expected string, try func(context.Context) finding) Outcome {
	result := Result{Case: name, Outcome: NotTried, Expected: expected, Seen: r.stopped}
	if r.stopped == "" && ctx.Err() != nil {
		r.stopped, result.Seen = "the round was cancelled", "the round was cancelled"
	}
	if r.stopped == "" {
		begin := r.prober.now()
		limited, cancel := context.WithTimeout(ctx, r.target.Timeout)
		finding := try(limited)
		cancel()
		result.Outcome, result.Status, result.Seen = finding.outcome, finding.answer.status, r.seen(finding)
		result.Duration = r.prober.now().Sub(begin)
		r.learn(finding.outcome)
	}
	r.results = append(r.results, result)
	return result.Outcome
}

// learn ends the round when asking on would tell nothing more.
func (r *round) learn(outcome Outcome) {
	switch outcome {
	case Refused, NoRoute, ConnectTimeout:
		if len(r.results) == 0 {
			r.stopped = "the target could not be reached"
		}
	case Timeout:
		if r.silences++; r.silences == maxSilences {
			r.stopped = "the target had been silent twice"
		}
	}
}

func (r *round) mintControl() (string, error) {
	bearer, err := r.target.Tokens.Good(r.prober.now())
	r.secrets.add(bearer)
	return bearer, err
}

func (r *round) mint(negative negative) (string, error) {
	bearer, err := negative.mint(r.target.Tokens, r.prober.now())
	r.secrets.add(bearer)
	return bearer, err
}

func (r *round) report() Report {
	return Report{
		URL: r.target.URL, Started: r.started, Duration: r.prober.now().Sub(r.started), Results: r.results,
		Server: r.server, ClockSeen: r.clock.seen, ClockOffset: r.clock.offset,
		ClockTolerance: max(r.target.ClockTolerance, minClockTolerance),
	}
}
