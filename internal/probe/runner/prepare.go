package runner

import (
	"fmt"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/plan"
)

// prepared is a test case with its tokens, which are minted beforehand, for the same instant.
type prepared struct {
	plan.TestCase
	attempt plan.Attempt
}

// refresh mints the tokens of a test case anew where the check has gone on for half of their life. On a busy machine a check
// can take longer than they live, and then a gate would refuse them for that alone.
func (r *check) refresh(q prepared) (prepared, error) {
	now := r.now()
	if now.Sub(r.Started) < r.Life()/2 {
		return q, nil
	}
	attempt, err := q.Prepare(now)
	if err != nil {
		return q, fmt.Errorf("%s: %w", q.Case, err)
	}
	q.attempt = attempt
	return q, nil
}

func (r *check) prepareAll() ([]prepared, error) {
	questions, kept := planned(r.Planner)
	r.failures = kept
	var out []prepared
	for _, q := range questions {
		if q.Lacks != "" {
			r.skip(q, q.Lacks)
			continue
		}
		attempt, err := q.Prepare(r.Started)
		switch lacks := plan.LackingOf(err); {
		case lacks != "":
			r.skip(q, lacks)
		case err != nil:
			return nil, fmt.Errorf("%s: %w", q.Case, err)
		default:
			out = append(out, prepared{q, attempt})
		}
	}
	return out, nil
}

func (r *check) skip(q plan.TestCase, reason string) {
	r.skipped = append(r.skipped, probe.Skipped{Case: q.Case, Provider: q.ProviderName(), Reason: reason})
}
