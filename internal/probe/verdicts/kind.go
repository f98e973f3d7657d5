package verdicts

import (
	"net/http"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
)

// KindOf judges one result of a check in the light of all: what the verdict would be if this one decided.
func KindOf(r probe.Report, result probe.Result) probe.Kind {
	if skewed(r) && explainedBySkew(result) {
		return probe.ClockSkew
	}
	switch result.Outcome {
	case probe.Passed:
		return probe.Locked
	case probe.Accepted:
		if result.Confirmed {
			return probe.Open
		}
		return probe.Broken
	case probe.Rejected:
		return probe.ValidRejected
	case probe.Refused, probe.NoRoute, probe.ConnectTimeout:
		return probe.Unreachable
	case probe.Throttled, probe.NotTried:
		return probe.Inconclusive
	case probe.Unavailable:
		return unavailableKind(r, result)
	default:
		if result.Case == probe.Valid && isServers(r, result) {
			return probe.UpstreamUnavailable
		}
		return probe.Broken
	}
}

// unavailableKind: for the positive control 502, 503 and 504 are the server's trouble, unless the gate says that it lacks
// something itself. A bad request must be refused without asking anyone, so where the positive control passes only 503 is a
// gate that is not ready.
func unavailableKind(r probe.Report, result probe.Result) probe.Kind {
	switch {
	case result.Reason == probe.ReasonNoKeys || result.Reason == probe.ReasonNoRevocations || result.Reason == probe.ReasonNoSecret:
		return probe.Inconclusive
	case result.Case == probe.Valid:
		return probe.UpstreamUnavailable
	case result.Status != http.StatusServiceUnavailable && always(r, probe.Valid, probe.Passed):
		return probe.Broken
	default:
		return probe.Inconclusive
	}
}

// isServers: the positive control failed, and the fault is the server's. Either an answer had begun and it was not the gate's
// own, or the time ran out where the gate itself refused at once.
func isServers(r probe.Report, result probe.Result) bool {
	if result.Status != 0 {
		return result.Reason == ""
	}
	return result.Outcome == probe.Timeout && always(r, probe.NoToken, probe.Passed) && always(r, probe.Malformed, probe.Passed)
}

// always reports whether the case was asked and had the outcome each time.
func always(r probe.Report, name probe.Case, outcome probe.Outcome) bool {
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

func skewed(r probe.Report) bool { return r.ClockSeen && r.ClockOffset.Abs() > r.ClockTolerance }

// explainedBySkew: the answer came from a gate that judged times, and a wrong clock can make it. An entry without a
// token, a malformed one or one of a foreign key has nothing to do with time.
func explainedBySkew(result probe.Result) bool {
	if result.Outcome == probe.Accepted {
		return result.Case.ProofOfTimes()
	}
	return result.Status != 0 && result.Case.Info().Timed
}
