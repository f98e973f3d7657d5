package runner

import (
	"context"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/plan"
)

const (
	// spentLife is how long a token lives that is kept for a later check.
	spentLife = 20 * time.Second
	// spentMargin is added to the gate's leeway: clocks differ, and have whole seconds.
	spentMargin = 3 * time.Second
)

// keepSpent is what the next check gets: what is not ripe yet, and else the token that was let in now.
func (r *check) keepSpent(from *plan.Issuer, bearer string, ends time.Time) {
	if old := r.Target.Replay.Of(from.Name); old != nil && r.Started.Before(old.Ends) {
		r.replay.Tokens = append(r.replay.Tokens, *old)
		return
	}
	if bearer != "" {
		r.replay.Tokens = append(r.replay.Tokens, probe.SpentToken{Provider: from.Name, Bearer: bearer, Ends: ends})
	}
}

// endSessions ends what a check has opened, where nobody goes on with it.
func (r *check) endSessions(ctx context.Context) error {
	if r.Target.KeepSessions {
		return nil
	}
	for _, from := range r.EveryIssuer() {
		last, found := r.client.Sessions.Take(from.Name)
		if !found {
			continue
		}
		bearer, err := from.Mint(r.now())
		if err != nil {
			return err
		}
		r.client.End(ctx, &last, bearer)
	}
	return nil
}
