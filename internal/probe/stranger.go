package probe

import (
	"fmt"
	"slices"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/keys"
	"github.com/mcp-gatehouse/gatehouse/internal/token"
)

// Stranger is a provider for a target about whose issuers nothing is known. Its key is made up on the spot, so its tokens
// are forgeries like any other, and a target must refuse them all. Reports of such rounds are read with AsStranger, and
// Target.Exact must not be set: what a gate says of a forgery depends on how much of it is false.
func Stranger() (Provider, error) {
	key, err := keys.Generate(keys.ES256)
	if err != nil {
		return Provider{}, err
	}
	const nobody = "urn:nobody"
	return Provider{Tokens: token.Template{Key: key, Issuer: nobody, Audience: nobody, Subject: "nobody", Lifetime: time.Minute}}, nil
}

// strangers are the cases that mean the same whether or not the control is good.
var strangers = []Case{
	NoToken, Empty, WrongScheme, Malformed, WrongKey, UnknownKid, AlgNone, LargeBody, ByGet, ByDelete, Varied,
}

const needsGoodToken = "needs a good token"

// AsStranger reads the report of a round with Stranger: the controls were forgeries, which had to be refused, and cases
// that need a good token were none. That a lock is open can be seen so. That it holds cannot: a target that refuses
// everybody looks the same, so the best verdict is Inconclusive.
func (r Report) AsStranger() (Report, Verdict) {
	results, skipped := r.Results, slices.Clone(r.Skipped)
	r.Results = nil
	// The control asks what WrongKey asks, but is the one that tells whether there is a connection at all.
	forged := slices.ContainsFunc(results, func(result Result) bool { return result.Case == WrongKey && result.Outcome != NotTried })
	for i, result := range results {
		switch {
		case result.Case == Valid && i == 0 && !forged:
			r.Results = append(r.Results, asForgery(result))
		case result.Case == Valid:
		case slices.Contains(strangers, result.Case):
			r.Results = append(r.Results, result)
		case !slices.ContainsFunc(skipped, func(s Skipped) bool { return s.Case == result.Case }):
			skipped = append(skipped, Skipped{Case: result.Case, Reason: needsGoodToken})
		}
	}
	r.Skipped = skipped
	r.Failures = Failures{slices.DeleteFunc(r.Failures.All(), func(f Failure) bool { return !slices.Contains(strangers, f.Result.Case) })}
	r.confirm()
	verdict := r.Verdict()
	switch verdict.Kind {
	case Locked:
		verdict = Verdict{Kind: Inconclusive, Case: Valid, Outcome: NotTried, Message: "Every bad request was refused, but " +
			"there was no good token to try: a server that refuses everybody looks the same."}
	case Open:
		verdict.Message = r.openTo(verdict)
	default:
	}
	return r, verdict
}

// openTo words that strangers are let in: in this round, or in an earlier one.
func (r Report) openTo(verdict Verdict) string {
	i := slices.IndexFunc(r.Results, func(result Result) bool { return result.Case == verdict.Case && result.Confirmed })
	if i < 0 {
		return verdict.Message
	}
	worst := r.Results[i]
	return fmt.Sprintf("%s: expected %s, saw %s. Asked again, the same: the server is open to strangers.",
		upperFirst(worst.Case.asked()), worst.Expected, worst.Seen)
}

// asForgery judges a control that was none.
func asForgery(result Result) Result {
	result.Case, result.Expected = WrongKey, "401 or 403"
	switch result.Outcome {
	case Passed:
		result.Outcome = Accepted
	case Rejected:
		result.Outcome = Passed
	case NoResult: // 2xx, and a refusal in the body, if anywhere
		result.Outcome = WrongStatus
	default:
	}
	return result
}

// confirm marks what was let in more than once: there is no control to stand beside it.
func (r Report) confirm() {
	times := map[Case]int{}
	for _, result := range r.Results {
		if result.Outcome == Accepted {
			times[result.Case]++
		}
	}
	for i := range r.Results {
		r.Results[i].Confirmed = r.Results[i].Outcome == Accepted && times[r.Results[i].Case] > 1
		if known := r.Failures.find(r.Results[i]); known >= 0 && r.Results[i].Confirmed {
			r.Failures.all[known].Confirmed, r.Failures.all[known].kind = true, Open
		}
	}
}
