package gate

import (
	"net/http"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/deny"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/flood"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/verify"
)

// verify judges the token, and once more if it is signed with a key that had to be fetched first.
func (v *visit) verify(token string) *deny.Denial {
	candidate, denial := v.judgeToken(token)
	if denial != nil && denial.Reason == deny.UnknownKey && v.keyHasCome(candidate) {
		_, denial = v.judgeToken(token)
	}
	return denial
}

// judgeToken does first what costs nothing, and what is known is good at once. A new signature waits for its turn if too
// many bad tokens came from the same source.
func (v *visit) judgeToken(token string) (verify.Candidate, *deny.Denial) {
	defer func(began time.Time) { v.gate.metrics.Verified(time.Since(began)) }(time.Now())
	candidate, denial := v.snapshot.Verifier.Screen(token)
	v.claimed = candidate.Provider()
	if denial != nil {
		return candidate, denial
	}
	if !candidate.Verified() {
		done, refusal := v.gate.guard.Enter(v.request.Context(), v.source, v.budget())
		if refusal.TooMany {
			v.quiet = refusal.Quiet
			return candidate, deny.Failures()
		}
		defer done()
	}
	if v.principal, denial = candidate.Verify(); denial == nil {
		v.gate.guard.Succeeded(v.source, v.principal.Provider(), v.principal.Subject())
	}
	return candidate, denial
}

// charge counts a refused token against its source's budget and gives the denial to answer with. To send none is no
// failure: it is how clients learn that they need one.
func (v *visit) charge(denial *deny.Denial) *deny.Denial {
	if denial.Status != http.StatusUnauthorized || denial.Reason == deny.MissingToken {
		return denial
	}
	refusal := v.gate.guard.Failed(v.source, v.budget())
	v.quiet = refusal.Quiet
	if refusal.TooMany {
		return deny.Failures()
	}
	return denial
}

func (v *visit) budget() flood.Budget {
	limits := v.snapshot.Config.Limits
	return flood.Budget{PerSecond: limits.FailuresPerSecond, Burst: limits.FailureBurst}
}
