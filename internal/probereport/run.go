package probereport

import (
	"strings"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/verdicts"
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
	return standing(verdicts.KindOf(r.Report, result))
}

// question names a case and, where there are several, the issuer whose token was sent or spoilt.
func question(name probe.Case, provider string) string {
	if provider == "" {
		return string(name)
	}
	return string(name) + " of " + provider
}

// label names a question among all of a round.
func label(result probe.Result) string {
	name := question(result.Case, result.Provider)
	if result.Variation != "" {
		name += ", " + result.Variation
	}
	return name
}

// asked is what was sent, short enough for a column.
func asked(result probe.Result) string {
	text := strings.TrimPrefix(result.Case.Asked(), "a request ")
	switch {
	case result.Variation == "":
		return text
	case result.Case == probe.Varied:
		return result.Variation
	default:
		return text + ": " + result.Variation
	}
}

// rows are the results as a person counts them. What was let in is asked again at once, beside a control: where that
// confirms it, the three are one row.
func (r Run) rows() []probe.Result {
	var rows []probe.Result
	all := r.Report.Results
	for i := 0; i < len(all); i++ {
		row := all[i]
		if row.Confirmed && i+1 < len(all) && label(all[i+1]) == label(row) {
			row.Seen += ", and again"
			i++
			if i+1 < len(all) && all[i+1].Case == probe.Valid && all[i+1].Outcome == probe.Passed && i+2 < len(all) {
				i++
			}
		}
		rows = append(rows, row)
	}
	return rows
}
