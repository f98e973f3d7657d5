package probe

import (
	"context"
	"time"
)

// maxSilences ends a round: each silence costs a whole time limit, and two of them say what a third would say.
const maxSilences = 2

const cancelled = "the round was cancelled"

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

// finding is what one case came to.
type finding struct {
	outcome Outcome
	answer  answer
	// step is the method whose answer decided, where a case takes several requests.
	step string
	// id is the JSON-RPC id of the request that was answered.
	id string
}

// session is the id of the session that the answer opened, "" for none.
func (f finding) session() string {
	if !isSuccess(f.answer.status) {
		return ""
	}
	return f.answer.header.Get(sessionHeader)
}

// run asks the control, the negatives, and the control again. All tokens are minted beforehand, for the same instant.
func (r *round) run(ctx context.Context) error {
	control, err := r.mintControl(r.started)
	if err != nil {
		return err
	}
	cases := negatives()
	bearers := make([]string, len(cases))
	for i, negative := range cases {
		if bearers[i], err = r.mint(negative, r.started); err != nil {
			return err
		}
	}
	r.ask(ctx, Valid, expectedResult, func(ctx context.Context) finding { return r.handshake(ctx, control) })
	for i, negative := range cases {
		if err := r.askNegative(ctx, negative, bearers[i]); err != nil {
			return err
		}
	}
	r.ask(ctx, Valid, expectedResult, func(ctx context.Context) finding { return r.open(ctx, control) })
	return nil
}

// askNegative asks a case that must be refused. A bad request that was let in is asked again at once, freshly minted
// and on a new connection, beside a control: an answer that came from elsewhere, or once, is no proof of an open gate.
func (r *round) askNegative(ctx context.Context, negative negative, bearer string) error {
	expected := negative.expected(r.target.Exact)
	try := func(bearer string) func(context.Context) finding {
		return func(ctx context.Context) finding { return r.refusal(ctx, negative, bearer) }
	}
	if r.ask(ctx, negative.name, expected, try(bearer)) != Accepted {
		return nil
	}
	accepted, now := len(r.results)-1, r.prober.now()
	again, err := r.mint(negative, now)
	if err != nil {
		return err
	}
	control, err := r.mintControl(now)
	if err != nil {
		return err
	}
	first := r.ask(ctx, negative.name, expected, try(again))
	second := r.ask(ctx, Valid, expectedResult, func(ctx context.Context) finding { return r.open(ctx, control) })
	r.results[accepted].Confirmed = first == Accepted && second == Passed
	return nil
}

// refusal sends the opening request with a bearer that must be refused.
func (r *round) refusal(ctx context.Context, negative negative, bearer string) finding {
	opening := r.opening()
	out := finding{answer: r.post(ctx, bearer, opening), step: opening.method, id: opening.idText()}
	out.outcome = negative.judge(out.answer, out.id, r.target.Exact)
	if session := out.session(); session != "" {
		r.closeSession(ctx, bearer, session)
	}
	return out
}

// ask runs one case under its time limit and keeps its result.
func (r *round) ask(ctx context.Context, name Case, expected string, try func(context.Context) finding) Outcome {
	if ctx.Err() != nil {
		r.stopped = cancelled
	}
	result := Result{Case: name, Outcome: NotTried, Expected: expected, Seen: r.stopped}
	if r.stopped == "" {
		begin := r.prober.now()
		limited, cancel := context.WithTimeout(ctx, r.target.Timeout)
		finding := try(limited)
		cancel()
		result.Outcome, result.Seen = finding.outcome, r.seen(finding)
		result.Status, result.Reason = finding.answer.status, finding.answer.reason()
		result.Duration = r.prober.now().Sub(begin)
		if ctx.Err() != nil && (finding.outcome == Timeout || finding.outcome == ConnectTimeout) {
			// The silence was as long as the caller's patience, which may be any length.
			result.Outcome, result.Seen = NotTried, cancelled
		}
		r.learn(result.Outcome)
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
	default:
	}
}

func (r *round) mintControl(now time.Time) (string, error) {
	bearer, err := r.target.Providers[0].Tokens.Good(now)
	r.secrets.add(bearer)
	return bearer, err
}

func (r *round) mint(negative negative, now time.Time) (string, error) {
	bearer, err := negative.mint(r.target.Providers[0].Tokens, now)
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
