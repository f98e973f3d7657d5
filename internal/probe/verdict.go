package probe

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Kind sums up a check.
type Kind string

// The kinds, worst first.
const (
	// Open: a bad request was let in, and again at once, beside a positive control that passed.
	Open Kind = "Open"
	// ValidRejected: the positive control got 401 or 403. Clients are locked out, and the refusals of bad tokens prove nothing.
	ValidRejected Kind = "ValidRejected"
	// Broken: the gate answered in a way it never should, or not at all although the connection opened; also a bad
	// request that was let in, and not again.
	Broken Kind = "Broken"
	// ClockSkew: the clocks of prober and target differ by more than the tolerance, and what else was seen can come
	// from that.
	ClockSkew Kind = "ClockSkew"
	// UpstreamUnavailable: the gate let the positive control in, and the server behind it gave no result.
	UpstreamUnavailable Kind = "UpstreamUnavailable"
	// Unreachable: no connection.
	Unreachable Kind = "Unreachable"
	// Inconclusive: a case was not tried, or the target was busy or not ready.
	Inconclusive Kind = "Inconclusive"
	// Locked: every bad request was refused for its reason, and the positive control was let in before and after.
	Locked Kind = "Locked"
)

// Kinds lists every kind, worst first.
func Kinds() []Kind {
	return []Kind{Open, ValidRejected, Broken, ClockSkew, UpstreamUnavailable, Unreachable, Inconclusive, Locked}
}

// Severity orders kinds: higher is worse, Locked is 0.
func (k Kind) Severity() int { return len(Kinds()) - 1 - slices.Index(Kinds(), k) }

// Verdict is the judgement on one check.
type Verdict struct {
	Kind Kind
	// Case and Outcome are those of the result that decided; Valid and Passed when Locked.
	Case    Case
	Outcome Outcome
	// Confirmed: what decided was seen twice in a row beside a positive control that passed, or in two checks, and is no
	// trouble of the connection.
	Confirmed bool
	// Variation and Provider say which test case of the case decided; both are empty where a case has but one.
	Variation, Provider string
	// Reason is the gate's in the answer that decided; empty where the answer is not the gate's.
	Reason string
	// Expected and Seen are those of the result that decided.
	Expected, Seen string
	// Message says to a person what was asked, expected and seen, and where to look.
	Message string
}

// Compare sorts the worst first: by kind, then by case and outcome, so that the order is total and stable.
func (v Verdict) Compare(other Verdict) int {
	return cmp.Or(
		cmp.Compare(other.Kind.Severity(), v.Kind.Severity()),
		cmp.Compare(v.Case, other.Case),
		cmp.Compare(v.Outcome, other.Outcome),
	)
}

const (
	variationMark = ": "
	providerMark  = "; provider "
)

// Question names the test case that decided, fit to be kept: Recall reads it.
func (v Verdict) Question() string {
	text := string(v.Case)
	if v.Variation == "" || v.Case == Valid {
		return text
	}
	if text += variationMark + v.Variation; v.Provider != "" {
		text += providerMark + v.Provider
	}
	return text
}

// Recall is a failure that somebody who remembers nothing else has kept by the name of its test case. Test cases that a full
// check asks at any rate are not recalled. What was drawn for it then is lost; the test case is the same. open: somebody was
// let in.
func Recall(question, expected, seen string, open bool, at time.Time) (Failure, bool) {
	name, rest, found := strings.Cut(question, variationMark)
	if !found || Case(name) == Valid || Case(name).Info().Proves == "" {
		return Failure{}, false
	}
	out := Failure{
		Result: Result{Case: Case(name), Outcome: ForeignAnswer, Expected: expected, Seen: seen}, First: at, Last: at, Times: 1,
		Confirmed: true, Seed: 1, Kind: Broken,
	}
	if out.Result.Variation, out.Result.Provider, _ = cutLast(rest, providerMark); open {
		out.Result.Outcome, out.Kind = Accepted, Open
	}
	return out, true
}

func cutLast(text, mark string) (before, after string, found bool) {
	if i := strings.LastIndex(text, mark); i >= 0 {
		return text[:i], text[i+len(mark):], true
	}
	return text, "", false
}
