package probe

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// Kind sums up a round.
type Kind string

// The kinds, worst first.
const (
	// Open: a bad request was let in, and again at once, beside a control that passed.
	Open Kind = "Open"
	// ValidRejected: the control got 401 or 403. Clients are locked out, and the refusals of bad tokens prove nothing.
	ValidRejected Kind = "ValidRejected"
	// Broken: the gate answered in a way it never should, or not at all although the connection opened; also a bad
	// request that was let in, and not again.
	Broken Kind = "Broken"
	// ClockSkew: the clocks of prober and target differ by more than the tolerance, and what else was seen can come
	// from that.
	ClockSkew Kind = "ClockSkew"
	// UpstreamUnavailable: the gate let the control in, and the server behind it gave no result.
	UpstreamUnavailable Kind = "UpstreamUnavailable"
	// Unreachable: no connection.
	Unreachable Kind = "Unreachable"
	// Inconclusive: a case was not tried, or the target was busy or not ready.
	Inconclusive Kind = "Inconclusive"
	// Locked: every bad request was refused for its reason, and the control was let in before and after.
	Locked Kind = "Locked"
)

// Kinds lists every kind, worst first.
func Kinds() []Kind {
	return []Kind{Open, ValidRejected, Broken, ClockSkew, UpstreamUnavailable, Unreachable, Inconclusive, Locked}
}

// Severity orders kinds: higher is worse, Locked is 0.
func (k Kind) Severity() int { return len(Kinds()) - 1 - slices.Index(Kinds(), k) }

// Verdict is the judgement on one round.
type Verdict struct {
	Kind Kind
	// Case and Outcome are those of the result that decided; Valid and Passed when Locked.
	Case    Case
	Outcome Outcome
	// Confirmed: what decided was seen twice in a row beside a control that passed, or in two rounds, and is no trouble of the
	// connection.
	Confirmed bool
	// Variation and Provider say which question of the case decided; both are empty where a case has but one.
	Variation, Provider string
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

// Verdict judges the round by its worst result, and by what failed in earlier rounds and is not refuted.
func (r Report) Verdict() Verdict {
	if len(r.Results) == 0 {
		return Verdict{Kind: Inconclusive, Case: Valid, Outcome: NotTried, Message: "Nothing was tried."}
	}
	worst, kind := r.worst()
	verdict := Verdict{Kind: kind, Expected: worst.Expected, Seen: worst.Seen}
	verdict.Case, verdict.Outcome, verdict.Variation, verdict.Provider = worst.Case, worst.Outcome, worst.Variation, worst.Provider
	if i := r.Failures.find(worst); i >= 0 && r.fails(worst) {
		verdict.Confirmed = isAnswer(worst.Outcome) && r.Failures.all[i].Confirmed
		if verdict.Confirmed && worst.Outcome == Accepted {
			verdict.Kind = Open
		}
	}
	verdict.Message = r.message(verdict.Kind, worst)
	for _, failure := range r.pending() {
		if failure.kind.Severity() > verdict.Kind.Severity() {
			verdict = failure.verdict()
		}
	}
	return verdict
}

// worst is the result that speaks most against the target, of several the first that is confirmed.
func (r Report) worst() (Result, Kind) {
	worst, kind := r.Results[0], r.kind(r.Results[0])
	for _, result := range r.Results[1:] {
		candidate := r.kind(result)
		if d := candidate.Severity() - kind.Severity(); d > 0 || d == 0 && result.Confirmed && !worst.Confirmed {
			worst, kind = result, candidate
		}
	}
	return worst, kind
}

// verdict is that of a failure that was not seen in this round.
func (f Failure) verdict() Verdict {
	seen := f.Result
	out := Verdict{
		Kind: f.kind, Case: seen.Case, Outcome: seen.Outcome, Confirmed: f.Confirmed && isAnswer(seen.Outcome),
		Variation: seen.Variation, Provider: seen.Provider, Expected: seen.Expected, Seen: seen.Seen,
	}
	since := "It could not be asked again since."
	if f.Right > 0 {
		since = fmt.Sprintf("Asked again since, it was answered as it must be %d times; it counts as mended after %d, in more than one check.", f.Right, f.needed())
	}
	out.Message = fmt.Sprintf("%s: expected %s, saw %s at %s. %s", upperFirst(seen.asked()), seen.Expected, seen.Seen, f.Last.UTC().Format(time.RFC3339), since)
	return out
}

// kind judges one result in the light of the whole round.
func (r Report) kind(result Result) Kind {
	kind := result.kind(r)
	if r.skewed() && result.explainedBySkew() {
		return ClockSkew
	}
	return kind
}

func (r Report) skewed() bool { return r.ClockSeen && r.ClockOffset.Abs() > r.ClockTolerance }

// explainedBySkew: the answer came from a gate that judged times, and a wrong clock can make it. An entry without a
// token, a malformed one or one of a foreign key has nothing to do with time.
func (result Result) explainedBySkew() bool {
	if result.Outcome == Accepted {
		return result.Case.proofOfTimes()
	}
	return result.Status != 0 && result.Case.info().timed
}

func (result Result) kind(r Report) Kind {
	switch result.Outcome {
	case Passed:
		return Locked
	case Accepted:
		if result.Confirmed {
			return Open
		}
		return Broken
	case Rejected:
		return ValidRejected
	case Refused, NoRoute, ConnectTimeout:
		return Unreachable
	case Throttled, NotTried:
		return Inconclusive
	case Unavailable:
		return result.unavailableKind(r)
	default:
		if result.Case == Valid && r.isServers(result) {
			return UpstreamUnavailable
		}
		return Broken
	}
}

// unavailableKind: for the control 502, 503 and 504 are the server's trouble, unless the gate says that it lacks
// something itself. A bad request must be refused without asking anyone, so where the control passes only 503 is a gate
// that is not ready.
func (result Result) unavailableKind(r Report) Kind {
	switch {
	case result.Reason == reasonNoKeys || result.Reason == reasonNoRevocations || result.Reason == reasonNoSecret:
		return Inconclusive
	case result.Case == Valid:
		return UpstreamUnavailable
	case result.Status != http.StatusServiceUnavailable && r.all(Valid, Passed):
		return Broken
	default:
		return Inconclusive
	}
}

// isServers: the control failed, and the fault is the server's. Either an answer had begun and it was not the gate's
// own, or the time ran out where the gate itself refused at once.
func (r Report) isServers(result Result) bool {
	if result.Status != 0 {
		return result.Reason == ""
	}
	return result.Outcome == Timeout && r.all(NoToken, Passed) && r.all(Malformed, Passed)
}

// all is true when the case was asked and had the outcome each time.
func (r Report) all(name Case, outcome Outcome) bool {
	asked := false
	for _, result := range r.Results {
		if result.Case == name {
			asked = true
			if result.Outcome != outcome {
				return false
			}
		}
	}
	return asked
}
