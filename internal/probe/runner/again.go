package runner

import (
	"slices"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/cases"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/client"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/forms"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/plan"
)

// failedBefore are the test cases that failed, each as it was asked then. Those that the target has no more are dropped; those
// that cannot be asked in this check stay.
func failedBefore(p *plan.Planner) (out []plan.TestCase, kept probe.Failures) {
	for _, failure := range p.Target.Failures.List {
		q, found := find(p, failure)
		switch {
		case !found && knows(p, failure.Result.Provider):
			continue // The target has no such test case any more.
		case found && isAskable(p, q):
			out = append(out, q)
		}
		kept.List = append(kept.List, failure)
	}
	return out, kept
}

// failedElsewhere are the test cases that failed at another gate of the server, but for those that this one has failed. A gate
// that has the same fault would go on until its turn comes.
func failedElsewhere(p *plan.Planner, here probe.Failures) (out []plan.TestCase) {
	for _, failure := range p.Target.Elsewhere.List {
		if q, found := find(p, failure); found && isAskable(p, q) && here.Find(failure.Result) < 0 {
			out = append(out, q)
		}
	}
	return out
}

// isAskable reports whether the check has what the test case needs.
func isAskable(p *plan.Planner, q plan.TestCase) bool {
	return q.Lacks == "" && (!q.AfterControl || p.Target.Tier != probe.Quick)
}

// knows reports whether the provider is one of the target's.
func knows(p *plan.Planner, provider string) bool {
	return provider == "" || slices.ContainsFunc(p.Target.Providers, func(p probe.Provider) bool { return p.Name == provider })
}

// find gives the test case of a failure, with the draws of the check in which it failed.
func find(p *plan.Planner, failure probe.Failure) (plan.TestCase, bool) {
	then := &plan.Planner{
		Target: p.Target, Started: p.Started, Seed: failure.Seed, Turn: p.Turn, Everything: true, Draw: p.Draw, Issuers: p.EveryIssuer(),
		UnknownKey: p.UnknownKey,
	}
	profile := client.ProfileOf(failure.Seed)
	all := cases.All(then)
	if failure.Result.Case == probe.Varied {
		all = forms.Named(then, failure.Result.Variation, failure.Turn)
	}
	i := slices.IndexFunc(all, func(q plan.TestCase) bool { return q.Label().Asks(failure.Result) })
	if i < 0 {
		return plan.TestCase{}, false
	}
	all[i].Seed, all[i].Tools, all[i].Profile = failure.Seed, failure.Tools, &profile
	return all[i], true
}
