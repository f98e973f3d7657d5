package runner

import (
	"context"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/client"
)

const (
	// maxSilences ends a check: each silence costs a whole time limit, and two of them say what a third would say.
	maxSilences = 2
	// Gates grant a source so many bad tokens at once, and so many more each second; a check stays well below.
	freeRefusals    = 60
	refusalInterval = 80 * time.Millisecond
)

const cancelled = "the check was cancelled"

// ask runs one case under its time limit and keeps its result.
func (r *check) ask(ctx context.Context, result probe.Result, try func(context.Context) client.Exchange) probe.Outcome {
	if ctx.Err() != nil {
		r.stopped = cancelled
	}
	result.Outcome, result.Seen = probe.NotTried, r.stopped
	if r.stopped == "" {
		begin := r.now()
		limited, cancel := context.WithTimeout(ctx, time.Duration(max(r.limits, 1))*r.Target.Timeout)
		exchange := try(limited)
		cancel()
		if exchange.Skip != "" {
			r.skipped = append(r.skipped, probe.Skipped{Case: result.Case, Provider: result.Provider, Reason: exchange.Skip})
			return probe.NotTried
		}
		result.Outcome, result.Seen = exchange.Outcome, r.client.Seen(exchange)
		result.Status, result.Reason = exchange.Answer.Status, exchange.Answer.Reason()
		result.Duration = r.now().Sub(begin)
		if ctx.Err() != nil && (exchange.Outcome == probe.Timeout || exchange.Outcome == probe.ConnectTimeout) {
			// The silence was as long as the caller's patience, which may be any length.
			result.Outcome, result.Seen = probe.NotTried, cancelled
		}
		r.learn(result.Outcome)
	}
	r.results = append(r.results, result)
	return result.Outcome
}

// learn ends the check when asking on would tell nothing more.
func (r *check) learn(outcome probe.Outcome) {
	switch outcome {
	case probe.Refused, probe.NoRoute, probe.ConnectTimeout:
		if len(r.results) == 0 {
			r.stopped = "the target could not be reached"
		}
	case probe.Timeout:
		if r.silences++; r.silences == maxSilences {
			r.stopped = "the target had been silent twice"
		}
	default:
	}
}

// pace keeps a check with many issuers below the rate at which gates stop telling reasons.
func (r *check) pace(ctx context.Context) {
	if r.refusals++; r.refusals <= freeRefusals || r.stopped != "" {
		return
	}
	timer := time.NewTimer(refusalInterval)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
