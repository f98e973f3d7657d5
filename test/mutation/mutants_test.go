package mutation

import (
	"slices"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
)

// mutant is a gate that has lost one thing.
type mutant struct {
	name string
	// does says to people what it does that no gate should, or does no more.
	does  string
	edits []edit
	// kind, named and outcome are the verdict; an empty kind is Open, an empty outcome Accepted.
	kind    probe.Kind
	named   probe.Case
	outcome probe.Outcome
	// seed draws the variations of the round; 0 is 1.
	seed uint64
}

// mutants lists them all.
func mutants() []mutant {
	all := slices.Concat(signatures(), claims(), doors(), rights(), requests(), answers())
	for i := range all {
		all[i].seed = max(all[i].seed, 1)
		if all[i].kind == "" {
			all[i].kind = probe.Open
		}
		if all[i].outcome == "" {
			all[i].outcome = probe.Accepted
		}
	}
	return all
}

// idleFor gives the reason for each case that may find nothing alone.
var idleFor = map[probe.Case]string{}
