package probe

import (
	"slices"
	"time"
)

const (
	// rightAnswers refute a question that got a wrong answer; they come at once and in a later round.
	rightAnswers = 3
	// rightExchanges refute one that got no whole answer, as in a hiccup of the network.
	rightExchanges = 2
	// maxConfirmed bounds the questions of a round that are asked again because of another answer than an entry.
	maxConfirmed = 8
)

// Failures are the questions on one gate that failed and are not refuted. Only the same question refutes one: asked again,
// and answered right more than once, at once and in a later round. Until then every round asks it.
type Failures struct{ all []Failure }

// Failure is one of them.
type Failure struct {
	// Result is what was seen last when it failed.
	Result Result
	// First and Last are the rounds in which it failed.
	First, Last time.Time
	// Times counts those rounds; Right the right answers since the last.
	Times, Right int
	// Confirmed: it failed twice in a row beside a control that passed, or in two rounds.
	Confirmed bool
	seed      uint64
	turn      uint64
	tools     []tool // that the server was known to have: a check of few questions lists none
	kind      Kind
}

// FailuresFor has these.
func FailuresFor(all ...Failure) Failures { return Failures{all} }

// All lists them, those that failed first in front.
func (f Failures) All() []Failure { return slices.Clone(f.all) }

// Len counts them.
func (f Failures) Len() int { return len(f.all) }

// With has those of others, too, where both know a question as the others do.
func (f Failures) With(others Failures) Failures {
	out := Failures{slices.Clone(others.all)}
	for _, failure := range f.all {
		if out.find(failure.Result) < 0 {
			out.all = append(out.all, failure)
		}
	}
	return out
}

// Keep leaves those whose provider is to be kept; a question without a provider always is.
func (f Failures) Keep(provider func(name string) bool) Failures {
	return Failures{slices.DeleteFunc(slices.Clone(f.all), func(failure Failure) bool {
		return failure.Result.Provider != "" && !provider(failure.Result.Provider)
	})}
}

func (f Failures) find(asked Result) int {
	return slices.IndexFunc(f.all, func(failure Failure) bool { return failure.Result.asks(asked) })
}

// asks reports whether both are of the same question.
func (result Result) asks(other Result) bool {
	return result.Case == other.Case && result.Provider == other.Provider && result.Variation == other.Variation
}

// needed is how many right answers in a row refute it.
func (f Failure) needed() int {
	if isAnswer(f.Result.Outcome) {
		return rightAnswers
	}
	return rightExchanges
}

// isAnswer reports whether an outcome is another answer than it must be, and no trouble of the connection.
func isAnswer(outcome Outcome) bool {
	switch outcome {
	case Accepted, WrongReason, ForeignAnswer, MissingChallenge, UnclearMessage, InformationLeak, WrongStatus, NoResult, Redirect:
		return true
	default:
		return false
	}
}

// asking is a question that was put: its results, of which the second is -1 where it was asked once.
type asking struct {
	seed, turn    uint64
	tools         []tool
	first, second int
}

// again are the questions that failed, each as it was asked then. Those that the target has no more are dropped; those that
// cannot be asked in this round stay.
func (r *round) again() []question {
	var out []question
	for _, failure := range r.target.Failures.all {
		q, found := r.find(failure)
		switch {
		case !found && r.knows(failure.Result.Provider):
			continue // The target has no such question any more.
		case found && q.lacks == "" && (!q.afterControl || r.target.Tier != Beat):
			out = append(out, q)
		}
		r.failures.all = append(r.failures.all, failure)
	}
	return out
}

// knows reports whether the provider is one of the target's.
func (r *round) knows(provider string) bool {
	return provider == "" || slices.ContainsFunc(r.target.Providers, func(p Provider) bool { return p.Name == provider })
}

// find gives the question of a failure, with the draws of the round in which it failed.
func (r *round) find(failure Failure) (question, bool) {
	then := &round{
		prober: r.prober, target: r.target, started: r.started, seed: failure.seed, turn: r.turn, everything: true, dialect: r.dialect,
		draw: r.draw, issuers: r.everyIssuer(),
	}
	then.disguise = disguiseOf(failure.seed)
	all := then.questions()
	if failure.Result.Case == Varied {
		all = then.rowsNamed(failure.Result.Variation, failure.turn)
	}
	i := slices.IndexFunc(all, func(q question) bool { return q.label().asks(failure.Result) })
	if i < 0 {
		return question{}, false
	}
	all[i].seed, all[i].tools, all[i].disguise = failure.seed, failure.tools, &then.disguise
	return all[i], true
}

// everyIssuer has the issuers that a beat does not take, too.
func (r *round) everyIssuer() []*issuer {
	out := slices.Clone(r.issuers)
	for _, provider := range r.target.Providers {
		if slices.ContainsFunc(out, func(i *issuer) bool { return i.Name == provider.Name }) {
			continue
		}
		from := &issuer{Provider: provider}
		if control, err := from.mint(r.started); err == nil {
			from.control = control
			out = append(out, from)
		}
	}
	return out
}

// rowsNamed are the questions of a row, of each issuer that it can be asked of.
func (r *round) rowsNamed(variation string, turn uint64) []question {
	var out []question
	for _, heavy := range []bool{false, true} {
		for _, one := range r.rows(heavy) {
			if one.variation() != variation {
				continue
			}
			for _, from := range r.issuers {
				if one.defect.fits(from) {
					out = append(out, r.questionOf(one, from, turn))
				}
			}
		}
	}
	return out
}

// settle says at the end of a round which questions have failed.
func (r *round) settle() {
	report := r.report()
	for _, asked := range r.asked {
		first := r.results[asked.first]
		failed, right := report.fails(first), btoi(first.Outcome == Passed)
		if asked.second >= 0 {
			second := r.results[asked.second]
			right += btoi(second.Outcome == Passed)
			if report.fails(second) && !failed {
				first = second
			}
			failed = failed || report.fails(second)
		}
		i := r.failures.find(first)
		switch {
		case failed:
			r.failures.fail(i, first, asked, right, report)
		case right > 0 && i >= 0:
			known := &r.failures.all[i]
			if known.Right += right; known.Right >= known.needed() {
				r.failures.all = slices.Delete(r.failures.all, i, i+1)
			}
		}
	}
}

// fail notes that a question failed; right are the right answers that it got beside.
func (f *Failures) fail(i int, seen Result, asked asking, right int, report Report) {
	if i < 0 {
		f.all = append(f.all, Failure{First: report.Started, seed: asked.seed, turn: asked.turn, tools: asked.tools})
		i = len(f.all) - 1
	}
	known := &f.all[i]
	known.Result, known.Last, known.Right = seen, report.Started, right
	known.Times++
	known.Confirmed = known.Confirmed || seen.Confirmed || known.Times > 1 && isAnswer(seen.Outcome)
	known.kind = report.kind(seen)
	if seen.Outcome == Accepted && known.Confirmed {
		known.kind = Open
	}
}

// fails reports whether a result speaks against the gate.
func (r Report) fails(result Result) bool {
	kind := r.kind(result)
	return result.Case != Valid && (kind == Open || kind == Broken)
}

// pending are the failures that this round did not see, and did not refute.
func (r Report) pending() []Failure {
	return slices.DeleteFunc(r.Failures.All(), func(f Failure) bool { return f.Last.Equal(r.Started) })
}

func btoi(yes bool) int {
	if yes {
		return 1
	}
	return 0
}
