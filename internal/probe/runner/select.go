package runner

import (
	"slices"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/cases"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/forms"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/plan"
)

// planned are the test cases of the check: those of its tier, and those that failed before, as they were asked then.
func planned(p *plan.Planner) ([]plan.TestCase, probe.Failures) {
	all := selected(p)
	if p.Target.Tier != probe.Quick {
		all = append(all, forms.NextRows(p)...)
	}
	for _, q := range forms.HostRows(p) {
		if !slices.ContainsFunc(all, func(other plan.TestCase) bool { return other.Label().Asks(q.Label()) }) {
			all = append(all, q)
		}
	}
	again, kept := failedBefore(p)
	for _, q := range append(failedElsewhere(p, kept), again...) {
		if i := slices.IndexFunc(all, func(other plan.TestCase) bool { return other.Label().Asks(q.Label()) }); i >= 0 {
			all[i] = q
			continue
		}
		all = append(all, q)
	}
	return all, kept
}

// selected are all that a check of the tier asks between the positive controls, but for the variations.
func selected(p *plan.Planner) []plan.TestCase {
	if p.Target.Tier != probe.Quick {
		return cases.All(p)
	}
	asked := []plan.TestCase{cases.NoToken(p.Target), cases.Malformed(p)}
	if rows := forms.NextRows(p); forms.TakesRow(p) && len(rows) > 0 {
		return append(asked, rows...)
	}
	return append(asked, cases.WrongKey(p, p.Issuers[0]))
}
