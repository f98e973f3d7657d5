package gate

import (
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
		done, ok := v.gate.guard.Enter(v.request.Context(), v.source, v.budget())
		if !ok {
			return candidate, deny.Failures()
		}
		defer done()
	}
	if v.principal, denial = candidate.Verify(); denial == nil {
		v.gate.guard.Succeeded(v.source, v.principal.Provider(), v.principal.Subject())
		return candidate, nil
	}
	v.charge()
	return candidate, denial
}

// charge counts a signature that was checked in vain against its source's budget. What costs no signature is not
// counted: a client behind the same address must learn at any time that its token has expired. A source over its budget
// is answered as it deserves, too, but its body is not waited for.
func (v *visit) charge() {
	if v.gate.guard.Failed(v.source, v.budget()) {
		v.body.Hurry()
	}
}

func (v *visit) budget() flood.Budget {
	limits := v.snapshot.Config.Limits
	return flood.Budget{PerSecond: limits.FailuresPerSecond, Burst: limits.FailureBurst}
}
