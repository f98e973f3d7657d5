package runner

import (
	"context"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/client"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/expect"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/plan"
)

// askPositiveControl asks with a token that must be let in: as a client that opens the server and lists its tools, or in short.
func (r *check) askPositiveControl(ctx context.Context, from *plan.Issuer, bearer string, whole bool) probe.Outcome {
	return r.ask(ctx, r.positiveControl(from), func(ctx context.Context) client.Exchange {
		if whole {
			return r.client.Handshake(ctx, from.Name, bearer)
		}
		return r.client.Open(ctx, from.Name, bearer)
	})
}

func (r *check) positiveControl(from *plan.Issuer) probe.Result {
	return probe.Result{Case: probe.Valid, Provider: from.Name, Method: "POST", Expected: expect.ExpectedResult}
}

// close asks the positive control again. The token of a full check has a short life, and is kept for a later one.
func (r *check) close(ctx context.Context, from *plan.Issuer) error {
	bearer, ends := from.Control, time.Time{}
	if r.Target.Tier != probe.Quick && from.Signs() {
		short := from.Provider
		short.Tokens.Lifetime = min(short.Tokens.Lifetime, spentLife)
		var err error
		now := r.now()
		if bearer, err = short.Tokens.Good(now); err != nil {
			return err
		}
		ends = now.Add(short.Tokens.Lifetime + max(r.tolerance(), from.Leeway) + spentMargin)
	}
	outcome := r.askPositiveControl(ctx, from, bearer, false)
	if r.Target.Tier == probe.Quick {
		return nil
	}
	if outcome != probe.Passed || !from.Signs() {
		bearer = ""
	}
	r.keepSpent(from, bearer, ends)
	return nil
}
