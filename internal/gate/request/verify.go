package request

import (
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/authn/verify"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/deny"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/limit/ratelimit"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

// verifyToken judges the token, and once more if it is signed with a key that had to be fetched first.
func (x *exchange) verifyToken(token string) *deny.Denial {
	candidate, denial := x.judgeToken(token)
	if denial != nil && denial.Reason == gateapi.ReasonUnknownKey && x.fetchKey(candidate) {
		_, denial = x.judgeToken(token)
	}
	return denial
}

// judgeToken does first what costs nothing, and what is known is good at once. A new signature waits for its turn if too
// many bad tokens came from the same source.
func (x *exchange) judgeToken(token string) (verify.Candidate, *deny.Denial) {
	defer func(began time.Time) { x.handler.Metrics.Verified(time.Since(began)) }(time.Now())
	candidate, denial := x.snapshot.Verifier.Screen(token)
	x.result.claimed = candidate.Provider()
	if denial != nil {
		return candidate, denial
	}
	if !candidate.Verified() {
		done, ok := x.handler.RateLimit.Enter(x.request.Context(), x.source, x.failureBudget())
		if !ok {
			return candidate, deny.TooManyFailures()
		}
		defer done()
	}
	if x.caller.principal, denial = candidate.Verify(); denial == nil {
		x.handler.RateLimit.Succeeded(x.source, x.caller.principal.Provider(), x.caller.principal.Subject())
		return candidate, nil
	}
	x.chargeFailure()
	return candidate, denial
}

// chargeFailure counts a signature that was checked in vain against its source's budget. What costs no signature is not
// counted: a client behind the same address must learn at any time that its token has expired. A source over its budget
// is answered as it deserves, too, but its body is not waited for.
func (x *exchange) chargeFailure() {
	if x.handler.RateLimit.Failed(x.source, x.failureBudget()) {
		x.body.SkipDrain()
	}
}

func (x *exchange) failureBudget() ratelimit.Limit {
	limits := x.snapshot.Config.Limits
	return ratelimit.Limit{PerSecond: limits.FailuresPerSecond, Burst: limits.FailureBurst}
}

// fetchKey has the key fetched that is not known, within bounds. If it has come, the request goes on by the snapshot
// that has it.
func (x *exchange) fetchKey(candidate verify.Candidate) bool {
	if !x.handler.Keys.Want(x.request.Context(), candidate.Provider(), candidate.KeyID()) {
		return false
	}
	x.snapshot = x.handler.Store.Current()
	return true
}
