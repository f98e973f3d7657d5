package probereport

import (
	"strings"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
)

// Run is one round, judged.
type Run struct {
	Report  probe.Report
	Verdict probe.Verdict
	// Gate: the answers were held against what Gatehouse's own gate promises. Otherwise 401 and 403 were refusals, whatever
	// they said.
	Gate bool
}

// Standing is what a verdict comes to. It is what the operator makes of the same verdict: AuthHealthy True, False, Unknown.
type Standing string

const (
	// Locked: bad requests were refused, and a good one was let in.
	Locked Standing = "locked"
	// NotLocked: a bad request was let in, a good one refused, or the answers are none that a gate may give.
	NotLocked Standing = "not-locked"
	// NotProven: what was seen speaks neither for nor against the lock.
	NotProven Standing = "not-proven"
)

// Standing says what the round comes to.
func (r Run) Standing() Standing { return standing(r.Verdict.Kind) }

func standing(kind probe.Kind) Standing {
	switch kind {
	case probe.Locked:
		return Locked
	case probe.Open, probe.ValidRejected, probe.Broken:
		return NotLocked
	default:
		return NotProven
	}
}

// standing of one result, in the light of the round.
func (r Run) standing(result probe.Result) Standing {
	if result.Outcome == probe.NotTried {
		return NotProven
	}
	return standing(r.Report.KindOf(result))
}

// label names a question: the case, and what tells it from others of the case.
func label(result probe.Result) string {
	name := string(result.Case)
	if result.Provider != "" {
		name += " of " + result.Provider
	}
	if result.Variation != "" {
		name += ", " + result.Variation
	}
	return name
}

// asked is what was sent, short enough for a column.
func asked(name probe.Case) string { return strings.TrimPrefix(name.Asked(), "a request ") }
