package probe

import (
	"slices"
	"time"
)

const (
	// rightAnswers refute a test case that got a wrong answer; they come at once and in a later check.
	rightAnswers = 3
	// rightExchanges refute one that got no whole answer, as in a hiccup of the network.
	rightExchanges = 2
	// MaxConfirmed bounds the test cases of a check that are asked again because of another answer than an entry.
	MaxConfirmed = 8
)

// Failures are the test cases on one gate that failed and are not refuted. Only the same test case refutes one: asked again,
// and answered right more than once, at once and in a later check. Until then every check asks it.
type Failures struct{ List []Failure }

// Failure is one of them.
type Failure struct {
	// Result is what was seen last when it failed.
	Result Result
	// First and Last are the checks in which it failed.
	First, Last time.Time
	// Times counts those checks; Right the right answers since the last.
	Times, Right int
	// Confirmed: it failed twice in a row beside a positive control that passed, or in two checks.
	Confirmed bool
	Seed      uint64
	Turn      uint64
	Tools     []Tool // that the server was known to have: a check of few test cases lists none
	Kind      Kind
}

// FailuresFor has these.
func FailuresFor(all ...Failure) Failures { return Failures{all} }

// All lists them, those that failed first in front.
func (f Failures) All() []Failure { return slices.Clone(f.List) }

// Len counts them.
func (f Failures) Len() int { return len(f.List) }

// With has those of others, too, where both know a test case as the others do.
func (f Failures) With(others Failures) Failures {
	out := Failures{slices.Clone(others.List)}
	for _, failure := range f.List {
		if out.Find(failure.Result) < 0 {
			out.List = append(out.List, failure)
		}
	}
	return out
}

// Keep leaves those whose provider is to be kept; a test case without a provider always is.
func (f Failures) Keep(provider func(name string) bool) Failures {
	return Failures{slices.DeleteFunc(slices.Clone(f.List), func(failure Failure) bool {
		return failure.Result.Provider != "" && !provider(failure.Result.Provider)
	})}
}

// Find is the index of the failure of a test case, -1 if there is none.
func (f Failures) Find(asked Result) int {
	return slices.IndexFunc(f.List, func(failure Failure) bool { return failure.Result.Asks(asked) })
}

// Asks reports whether both are of the same test case.
func (result Result) Asks(other Result) bool {
	return result.Case == other.Case && result.Provider == other.Provider && result.Variation == other.Variation
}

// Needed is how many right answers in a row refute it.
func (f Failure) Needed() int {
	if IsAnswer(f.Result.Outcome) {
		return rightAnswers
	}
	return rightExchanges
}
