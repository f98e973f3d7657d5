package probe

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

const (
	// maxSilences ends a round: each silence costs a whole time limit, and two of them say what a third would say.
	maxSilences = 2
	// Gates grant a source so many bad tokens at once, and so many more each second; a round stays well below.
	freeRefusals    = 60
	refusalInterval = 80 * time.Millisecond
)

const cancelled = "the round was cancelled"

// round is one Run.
type round struct {
	prober  *Prober
	target  Target
	started time.Time
	// draw makes every choice of the round; its seed is in the report.
	draw     *rand.Rand
	seed     uint64
	issuers  []*issuer
	disguise disguise
	dialect  dialect
	clock    clockReading
	secrets  secrets
	server   *ServerInfo
	tools    []tool
	turn     Turn
	taken    struct{ light, heavy uint64 }
	// everything: nothing is asked in turn, as where a question is looked for.
	everything bool
	failures   Failures
	asked      []asking
	confirmed  int
	extra      int
	limits     int        // of the question that is being asked
	mu         sync.Mutex // guards clock
	results    []Result
	skipped    []Skipped
	replay     Replay
	silences   int
	refusals   int
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
	// method is the HTTP method.
	method string
	// skip says why the case could not be put after all; "" if it was.
	skip string
}

func skipped(reason string) finding { return finding{outcome: NotTried, skip: reason} }

// session is the id of the session that the answer opened, "" for none.
func (f finding) session() string {
	if !isSuccess(f.answer.status) {
		return ""
	}
	return f.answer.header.Get(sessionHeader)
}

// prepared is a question with its tokens, which are minted beforehand, for the same instant.
type prepared struct {
	question
	attempt attempt
}

// refresh mints the tokens of a question anew where the round has gone on for half of their life. On a busy machine a round
// can take longer than they live, and then a gate would refuse them for that alone.
func (r *round) refresh(q prepared) (prepared, error) {
	now := r.prober.now()
	if now.Sub(r.started) < r.life()/2 {
		return q, nil
	}
	attempt, err := q.prepare(now)
	if err != nil {
		return q, fmt.Errorf("%s: %w", q.name, err)
	}
	q.attempt = attempt
	return q, nil
}

// life is the shortest of the issuers' tokens.
func (r *round) life() time.Duration {
	shortest := time.Duration(math.MaxInt64)
	for _, from := range r.issuers {
		if from.signs() {
			shortest = min(shortest, from.Tokens.Lifetime)
		}
	}
	return shortest
}

// run asks the controls, what must be refused, and the controls again. A beat has one control, at the end.
func (r *round) run(ctx context.Context) error {
	if err := r.hire(); err != nil {
		return err
	}
	questions, err := r.prepareAll()
	if err != nil {
		return err
	}
	if r.target.Tier != Beat {
		for i, from := range r.issuers {
			r.askControl(ctx, from, from.control, i == 0)
		}
	}
	for _, q := range questions {
		if err := r.askQuestion(ctx, q); err != nil {
			return err
		}
	}
	for _, from := range r.issuers {
		if err := r.close(ctx, from); err != nil {
			return err
		}
	}
	r.settle()
	return nil
}

// planned are the questions of the round: those of its tier, and those that failed before, as they were asked then.
func (r *round) planned() []question {
	all := r.questions()
	if r.target.Tier != Beat {
		all = append(all, r.variations()...)
	}
	for _, q := range r.wary() {
		if !slices.ContainsFunc(all, func(other question) bool { return other.label().asks(q.label()) }) {
			all = append(all, q)
		}
	}
	for _, q := range r.again() {
		if i := slices.IndexFunc(all, func(other question) bool { return other.label().asks(q.label()) }); i >= 0 {
			all[i] = q
			continue
		}
		all = append(all, q)
	}
	return all
}

// hire takes the providers of the round, and mints their controls: all, or for a beat one, in turn by the seed.
func (r *round) hire() error {
	providers := r.target.Providers
	if r.target.Tier == Beat {
		turn := r.draw.IntN(len(providers))
		providers = providers[turn : turn+1]
	}
	for _, provider := range providers {
		from := &issuer{Provider: provider}
		var err error
		if from.control, err = from.mint(r.started); err != nil {
			return err
		}
		r.issuers = append(r.issuers, from)
	}
	return nil
}

func (r *round) prepareAll() ([]prepared, error) {
	var out []prepared
	for _, q := range r.planned() {
		if q.lacks != "" {
			r.skip(q, q.lacks)
			continue
		}
		attempt, err := q.prepare(r.started)
		switch lacks := lackingOf(err); {
		case lacks != "":
			r.skip(q, lacks)
		case err != nil:
			return nil, fmt.Errorf("%s: %w", q.name, err)
		default:
			out = append(out, prepared{q, attempt})
		}
	}
	return out, nil
}

func (r *round) skip(q question, reason string) {
	r.skipped = append(r.skipped, Skipped{Case: q.name, Provider: q.providerName(), Reason: reason})
}

func (q question) providerName() string {
	if q.provider == nil {
		return ""
	}
	return q.provider.Name
}

// label is the result of the question before it is asked.
func (q question) label() Result {
	return Result{Case: q.name, Provider: q.providerName(), Method: q.method, Variation: q.variation, Expected: q.expected}
}

// askControl asks with a token that must be let in: as a client that opens the server and lists its tools, or in short.
func (r *round) askControl(ctx context.Context, from *issuer, bearer string, whole bool) Outcome {
	return r.ask(ctx, r.controlOf(from), func(ctx context.Context) finding {
		if whole {
			return r.handshake(ctx, bearer)
		}
		return r.open(ctx, bearer)
	})
}

func (r *round) controlOf(from *issuer) Result {
	return Result{Case: Valid, Provider: from.Name, Method: "POST", Expected: expectedResult}
}

// close asks the control again. The token of a full round has a short life, and is kept for a later one.
func (r *round) close(ctx context.Context, from *issuer) error {
	bearer, ends := from.control, time.Time{}
	if r.target.Tier != Beat && from.signs() {
		short := from.Provider
		short.Tokens.Lifetime = min(short.Tokens.Lifetime, spentLife)
		var err error
		now := r.prober.now()
		if bearer, err = short.Tokens.Good(now); err != nil {
			return err
		}
		ends = now.Add(short.Tokens.Lifetime + max(r.tolerance(), from.Leeway) + spentMargin)
	}
	outcome := r.askControl(ctx, from, bearer, false)
	if r.target.Tier == Beat {
		return nil
	}
	if outcome != Passed || !from.signs() {
		bearer = ""
	}
	r.keep(from, bearer, ends)
	return nil
}

// ask runs one case under its time limit and keeps its result.
func (r *round) ask(ctx context.Context, result Result, try func(context.Context) finding) Outcome {
	if ctx.Err() != nil {
		r.stopped = cancelled
	}
	result.Outcome, result.Seen = NotTried, r.stopped
	if r.stopped == "" {
		begin := r.prober.now()
		limited, cancel := context.WithTimeout(ctx, time.Duration(max(r.limits, 1))*r.target.Timeout)
		finding := try(limited)
		cancel()
		if finding.skip != "" {
			r.skipped = append(r.skipped, Skipped{Case: result.Case, Provider: result.Provider, Reason: finding.skip})
			return NotTried
		}
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

func (r *round) tolerance() time.Duration { return max(r.target.ClockTolerance, minClockTolerance) }

func (r *round) report() Report {
	if r.target.Tier == Beat {
		r.replay = r.target.Replay
	}
	return Report{
		URL: r.target.URL, Tier: r.target.Tier, Seed: r.seed, Started: r.started, Duration: r.prober.now().Sub(r.started),
		Results: r.results, Skipped: r.skipped, Replay: r.replay, Server: r.server, Turn: r.next(), Failures: r.failures, Extra: r.extra,
		ClockSeen: r.clock.seen, ClockOffset: r.clock.offset, ClockTolerance: r.tolerance(),
	}
}
