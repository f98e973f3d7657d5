package runner

import (
	"context"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/client"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/plan"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/verdicts"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/wire"
)

// check is one Run.
type check struct {
	now func() time.Time
	*plan.Planner
	client    *client.Client
	taken     struct{ light, heavy uint64 }
	failures  probe.Failures
	asked     []verdicts.Asked
	confirmed int
	limits    int // of the test case that is being asked
	results   []probe.Result
	skipped   []probe.Skipped
	replay    probe.Replay
	silences  int
	refusals  int
	// stopped says why the remaining cases are not asked; "" while they are.
	stopped string
}

// run asks the positive controls, what must be refused, and the positive controls again. A quick check has one positive
// control, at the end.
func (r *check) run(ctx context.Context) error {
	if err := r.SelectIssuers(); err != nil {
		return err
	}
	r.client.Bearer = r.Issuers[0].Control
	questions, err := r.prepareAll()
	if err != nil {
		return err
	}
	if r.Target.Tier != probe.Quick {
		for i, from := range r.Issuers {
			r.askPositiveControl(ctx, from, from.Control, i == 0)
		}
	}
	for _, q := range questions {
		if err := r.askCase(ctx, q); err != nil {
			return err
		}
	}
	for _, from := range r.Issuers {
		if err := r.close(ctx, from); err != nil {
			return err
		}
	}
	r.failures = verdicts.Settle(r.report(), r.asked)
	return r.endSessions(ctx)
}

func (r *check) tolerance() time.Duration {
	return max(r.Target.ClockTolerance, wire.MinClockTolerance)
}

func (r *check) report() probe.Report {
	if r.Target.Tier == probe.Quick {
		r.replay = r.Target.Replay
	}
	clock := r.client.Sender.Clock
	return probe.Report{
		URL: r.Target.URL, Tier: r.Target.Tier, Seed: r.Seed, Started: r.Started, Duration: r.now().Sub(r.Started),
		Results: r.results, Skipped: r.skipped, Replay: r.replay, Sessions: r.client.Sessions, Server: r.client.Server, Turn: r.next(), Failures: r.failures, Extra: r.client.Extra,
		ClockSeen: clock.Seen, ClockOffset: clock.Offset, ClockTolerance: r.tolerance(),
	}
}

// next is the turn of the next check: rows that were not asked after all have it again.
func (r *check) next() probe.Turn {
	turn := r.Turn
	turn.Round++
	turn.Light += r.taken.light
	turn.Heavy += r.taken.heavy
	turn.Rest = false
	return turn
}
