package mutation

import (
	"slices"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
)

// mutant is a gate that has lost one thing.
type mutant struct {
	name string
	// loses says to people what it does, or no longer does.
	loses string
	edits []edit
	// kind, named and outcome are the verdict; an empty kind is Open, an empty outcome Accepted.
	kind    probe.Kind
	named   probe.Case
	outcome probe.Outcome
}

// mutants lists them all.
func mutants() []mutant {
	all := slices.Concat(signatures(), claims(), doors(), rights(), requests(), answers())
	for i := range all {
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
