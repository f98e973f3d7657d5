package verdicts

import (
	"fmt"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
)

// Of judges the check by its worst result, and by what failed in earlier checks and is not refuted.
func Of(r probe.Report) probe.Verdict {
	if len(r.Results) == 0 {
		return probe.Verdict{Kind: probe.Inconclusive, Case: probe.Valid, Outcome: probe.NotTried, Message: "Nothing was tried."}
	}
	worst, kind := worstOf(r)
	verdict := probe.Verdict{Kind: kind, Reason: worst.Reason, Expected: worst.Expected, Seen: worst.Seen}
	verdict.Case, verdict.Outcome, verdict.Variation, verdict.Provider = worst.Case, worst.Outcome, worst.Variation, worst.Provider
	if i := r.Failures.Find(worst); i >= 0 && fails(r, worst) {
		verdict.Confirmed = probe.IsAnswer(worst.Outcome) && r.Failures.List[i].Confirmed
		if verdict.Confirmed && worst.Outcome == probe.Accepted {
			verdict.Kind = probe.Open
		}
	}
	verdict.Message = wording(r, verdict.Kind, worst)
	for _, failure := range pending(r) {
		if failure.Kind.Severity() > verdict.Kind.Severity() {
			verdict = verdictOf(failure)
		}
	}
	return verdict
}

// worstOf is the result that speaks most against the target, of several the first that is confirmed.
func worstOf(r probe.Report) (probe.Result, probe.Kind) {
	worst, kind := r.Results[0], KindOf(r, r.Results[0])
	for _, result := range r.Results[1:] {
		candidate := KindOf(r, result)
		if d := candidate.Severity() - kind.Severity(); d > 0 || d == 0 && result.Confirmed && !worst.Confirmed {
			worst, kind = result, candidate
		}
	}
	return worst, kind
}

// verdictOf is that of a failure that was not seen in this check.
func verdictOf(f probe.Failure) probe.Verdict {
	seen := f.Result
	out := probe.Verdict{
		Kind: f.Kind, Case: seen.Case, Outcome: seen.Outcome, Confirmed: f.Confirmed && probe.IsAnswer(seen.Outcome),
		Variation: seen.Variation, Provider: seen.Provider, Expected: seen.Expected, Seen: seen.Seen,
	}
	since := "It could not be asked again since."
	if f.Right > 0 {
		since = fmt.Sprintf("Asked again since, it was answered as it must be %d times; it counts as mended after %d, in more than one check.", f.Right, f.Needed())
	}
	out.Message = fmt.Sprintf("%s: expected %s, saw %s at %s. %s", upperFirst(describe(seen)), seen.Expected, seen.Seen, f.Last.UTC().Format(time.RFC3339), since)
	return out
}
