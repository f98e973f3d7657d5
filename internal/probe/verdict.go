package probe

import (
	"cmp"
	"net/http"
	"slices"
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

// Verdict judges the round by its worst result.
func (r Report) Verdict() Verdict {
	if len(r.Results) == 0 {
		return Verdict{Kind: Inconclusive, Case: Valid, Outcome: NotTried, Message: "Nothing was tried."}
	}
	worst, kind := r.Results[0], r.kind(r.Results[0])
	for _, result := range r.Results[1:] {
		if candidate := r.kind(result); candidate.Severity() > kind.Severity() {
			worst, kind = result, candidate
		}
	}
	verdict := Verdict{Kind: kind, Case: worst.Case, Outcome: worst.Outcome}
	verdict.Message = r.message(kind, worst)
	return verdict
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
