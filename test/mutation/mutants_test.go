package mutation

import (
	"slices"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
)

// mutantGate is a gate that has lost one thing.
type mutantGate struct {
	name string
	// does says to people what it does that no gate should, or does no more.
	does  string
	edits []edit
	// kind, named and outcome are the verdict; an empty kind is Open, an empty outcome Accepted.
	kind    probe.Kind
	named   probe.Case
	outcome probe.Outcome
	// only: no other case sees it, so that without this one it would pass.
	only bool
	// tls: it serves TLS.
	tls bool
	// inTurn: it is found by a row of the catalogue of forms, when that has its turn.
	inTurn bool
}

// allMutants lists them all.
func allMutants() []mutantGate {
	all := slices.Concat(signatures(), claims(), doors(), rights(), probes(), requests(), published(), monitored(), answers())
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

// is tells whether the verdict is the one that the mutant deserves.
func (m mutantGate) is(v probe.Verdict) bool {
	return v.Kind == m.kind && v.Case == m.named && v.Outcome == m.outcome
}
