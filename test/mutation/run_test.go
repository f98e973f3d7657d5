//go:build mutation

package mutation

import (
	"bytes"
	"os"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/verdicts"
)

// Each mutant is found, and by the case that names what it has lost. Then no case is idle.
//
// The gate as it is shipped is locked, whatever forms have their turn, and so is the program of the mutants with nothing
// left out: what turns a round red is the mutant.
func TestMutants(t *testing.T) {
	t.Run("found", func(t *testing.T) {
		for name, good := range map[string]struct {
			program string
			tls     bool
		}{"shipped": {*shippedProgram, false}, "overlaid": {mutantProgram, false}, "over TLS": {mutantProgram, true}} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				report := newSite(t, good.program, "", good.tls).probe(t, true, func(v probe.Verdict) bool { return !isLocked(v) })
				totals.ask(report)
				if got := verdicts.Of(report); !isLocked(got) {
					t.Errorf("%s by %s %s: %s", got.Kind, got.Case, got.Outcome, got.Message)
				}
				if asked := red(report); len(asked) > 0 || len(report.Skipped) > 0 {
					t.Errorf("red: %v, skipped: %v%s", asked, report.Skipped, details(report))
				}
			})
		}
		for _, m := range allMutants() {
			t.Run(m.name, func(t *testing.T) {
				t.Parallel()
				report := newSite(t, mutantProgram, m.name, m.tls).probe(t, m.inTurn, m.is)
				totals.add(m, report)
				if got := verdicts.Of(report); !m.is(got) {
					t.Errorf("a gate that %s: %s by %s %s, want %s by %s %s; red: %v\n%s",
						m.does, got.Kind, got.Case, got.Outcome, m.kind, m.named, m.outcome, red(report), got.Message)
				}
				if seen := red(report); m.only && len(seen) > 1 {
					t.Errorf("a gate that %s is seen by %v, not only by %s:%s", m.does, seen, m.named, details(report))
				}
			})
		}
	})
	if idle := totals.idle(); len(idle) > 0 && totals.isWhole() {
		t.Errorf("without %v every mutant would still be found: add mutants that only these cases see", idle)
	}
}

// What is shipped has no switch.
func TestShippedHasNoSwitch(t *testing.T) {
	for program, want := range map[string]bool{*shippedProgram: false, mutantProgram: true} {
		binary, err := os.ReadFile(program)
		must(t, err)
		if got := bytes.Contains(binary, []byte(environment)); got != want {
			t.Errorf("%s: contains %q: %v, want %v", program, environment, got, want)
		}
	}
}

func isLocked(v probe.Verdict) bool { return v.Kind == probe.Locked }

func TestUnseen(t *testing.T) {
	t.Parallel()
	for _, m := range unseen() {
		report := newSite(t, mutantProgram, m.name, m.tls).probe(t, false, isLocked)
		if got := verdicts.Of(report); !m.is(got) {
			t.Errorf("a gate that %s is seen after all, by %s: move it to the others", m.does, got.Case)
		}
	}
}
