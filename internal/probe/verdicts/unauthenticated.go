package verdicts

import (
	"fmt"
	"slices"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
)

// withoutControl are the cases that mean the same whether or not the positive control is good.
var withoutControl = []probe.Case{
	probe.NoToken, probe.Empty, probe.WrongScheme, probe.Malformed, probe.WrongKey, probe.UnknownKid, probe.AlgNone, probe.LargeBody, probe.ByGet, probe.ByDelete, probe.Varied,
}

const needsGoodToken = "needs a good token"

// Unauthenticated reads the report of a check with runner.UnauthenticatedProvider: the positive controls were forgeries,
// which had to be refused, and cases that need a good token were none. That a lock is open can be seen so. That it holds
// cannot: a target that refuses everybody looks the same, so the best verdict is Inconclusive.
func Unauthenticated(r probe.Report) (probe.Report, probe.Verdict) {
	results, skipped := r.Results, slices.Clone(r.Skipped)
	r.Results = nil
	// The positive control asks what WrongKey asks, but is the one that reports whether there is a connection at all.
	forged := slices.ContainsFunc(results, func(result probe.Result) bool {
		return result.Case == probe.WrongKey && result.Outcome != probe.NotTried
	})
	for i, result := range results {
		switch {
		case result.Case == probe.Valid && i == 0 && !forged:
			r.Results = append(r.Results, asForgery(result))
		case result.Case == probe.Valid:
		case slices.Contains(withoutControl, result.Case):
			r.Results = append(r.Results, result)
		case !slices.ContainsFunc(skipped, func(s probe.Skipped) bool { return s.Case == result.Case }):
			skipped = append(skipped, probe.Skipped{Case: result.Case, Reason: needsGoodToken})
		}
	}
	r.Skipped = skipped
	r.Failures = probe.FailuresFor(slices.DeleteFunc(r.Failures.All(), func(f probe.Failure) bool { return !slices.Contains(withoutControl, f.Result.Case) })...)
	confirm(r)
	verdict := Of(r)
	switch verdict.Kind {
	case probe.Locked:
		verdict = probe.Verdict{Kind: probe.Inconclusive, Case: probe.Valid, Outcome: probe.NotTried, Message: "Every bad request was refused, but " +
			"there was no good token to try: a server that refuses everybody looks the same."}
	case probe.Open:
		verdict.Message = openTo(r, verdict)
	default:
	}
	return r, verdict
}

// openTo words that unauthenticated clients are let in: in this check, or in an earlier one.
func openTo(r probe.Report, verdict probe.Verdict) string {
	i := slices.IndexFunc(r.Results, func(result probe.Result) bool { return result.Case == verdict.Case && result.Confirmed })
	if i < 0 {
		return verdict.Message
	}
	worst := r.Results[i]
	return fmt.Sprintf("%s: expected %s, saw %s. Asked again, the same: the server is open to strangers.",
		upperFirst(worst.Case.Asked()), worst.Expected, worst.Seen)
}

// asForgery judges a positive control that was none.
func asForgery(result probe.Result) probe.Result {
	result.Case, result.Expected = probe.WrongKey, "401 or 403"
	switch result.Outcome {
	case probe.Passed:
		result.Outcome = probe.Accepted
	case probe.Rejected:
		result.Outcome = probe.Passed
	case probe.NoResult: // 2xx, and a refusal in the body, if anywhere
		result.Outcome = probe.WrongStatus
	default:
	}
	return result
}

// confirm marks what was let in more than once: there is no positive control to stand beside it.
func confirm(r probe.Report) {
	times := map[probe.Case]int{}
	for _, result := range r.Results {
		if result.Outcome == probe.Accepted {
			times[result.Case]++
		}
	}
	for i := range r.Results {
		r.Results[i].Confirmed = r.Results[i].Outcome == probe.Accepted && times[r.Results[i].Case] > 1
		if known := r.Failures.Find(r.Results[i]); known >= 0 && r.Results[i].Confirmed {
			r.Failures.List[known].Confirmed, r.Failures.List[known].Kind = true, probe.Open
		}
	}
}
