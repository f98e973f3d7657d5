//go:build mutation

package mutation

import (
	"strings"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/verdicts"
)

// lasting is for how many rounds a leak that was found must not be forgotten.
const lasting = 50

// Each leak is found within as many checks as the docs say, by a row of its own, and in none of the rounds that follow it is
// forgotten.
func TestLeaks(t *testing.T) {
	for _, l := range leaks() {
		t.Run(l.name(), func(t *testing.T) {
			t.Parallel()
			target := newSite(t, mutantProgram, l.name(), l.tls).target(tokenLifetime, probe.Turn{Round: 1})
			target.Providers = target.Providers[:1]
			target.Seed = 0
			if target.Tier = probe.Quick; l.heavy {
				target.Tier = probe.Full
			}
			for check := 1; ; check++ {
				verdict := next(t, &target)
				if verdict.Kind == probe.Locked && check < l.within {
					continue
				}
				if verdict.Kind == probe.Locked {
					t.Fatalf("not found within %d checks", l.within)
				}
				l.judge(t, verdict, target.Failures)
				break
			}
			target.Tier = probe.Quick
			for round := range lasting {
				if verdict := next(t, &target); verdict.Kind != probe.Open && verdict.Kind != probe.Broken || !verdict.Confirmed {
					t.Fatalf("forgotten %d rounds later: %+v", round+1, verdict)
				}
			}
		})
	}
}

// judge wants a leak to be found by its own rows, and by no accident.
func (l leak) judge(t *testing.T, verdict probe.Verdict, failures probe.Failures) {
	t.Helper()
	if verdict.Kind != probe.Open && verdict.Kind != probe.Broken || !verdict.Confirmed {
		t.Errorf("%+v", verdict)
	}
	for _, failure := range failures.All() {
		found := failure.Result.Variation
		if failure.Result.Case != probe.Varied {
			continue
		}
		if l.form != "" && !strings.HasPrefix(found, l.form+", ") || l.defect != "" && !strings.HasSuffix(found, ", "+l.defect) {
			t.Errorf("found by %s", found)
		}
	}
}

// next runs a round after another on the same gate.
func next(t *testing.T, target *probe.Target) probe.Verdict {
	t.Helper()
	report, err := prober.Run(t.Context(), *target)
	must(t, err)
	target.Turn, target.Failures, target.Replay = report.Turn, report.Failures, report.Replay
	return verdicts.Of(report)
}
