package pair_test

import (
	"slices"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/keys"
	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/forms"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/runner"
	"github.com/mcp-gatehouse/gatehouse/test/mcpfake"
)

// TestEveryRow: the gate answers every row of the catalogue of forms as it promises, of each kind of provider: the light rows
// in quick checks, each form of the heavy ones in a full round.
func TestEveryRow(t *testing.T) {
	for i, name := range []string{"first", "second", "third"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fullEstate, _ := newEstate(t, keys.EdDSA, mcpfake.Options{Dialect: mcpfake.Stateless})
			target := fullEstate.target
			target.Providers = target.Providers[i : i+1]
			target.Policy = probe.Policy{RequiredScopes: target.Policy.RequiredScopes, Absent: "nobodys"}
			target.Hosts = []string{"localhost:8080"}
			prober := runner.New(runner.Options{Now: fullEstate.now})
			var missing []forms.Row
			for _, row := range forms.Rows(target) {
				if !row.Heavy {
					missing = append(missing, row)
				}
			}
			asked := map[string]bool{}
			ask := func() {
				report, err := prober.Run(t.Context(), target)
				if err != nil {
					t.Fatal(err)
				}
				for _, result := range report.Results {
					if result.Outcome != probe.Passed {
						t.Errorf("%s %s: expected %s, saw %s", result.Case, result.Variation, result.Expected, result.Seen)
					}
					asked[result.Variation] = true
				}
				target.Turn = report.Turn
			}
			target.Tier, target.Turn = probe.Quick, probe.Turn{Round: 1}
			for range missing {
				ask()
				target.Turn.Round = 1
			}
			for heavy := range uint64(6) {
				target.Tier, target.Turn = probe.Full, probe.Turn{Round: 1, Heavy: heavy}
				ask()
			}
			missing = slices.DeleteFunc(forms.Rows(target), func(row forms.Row) bool { return row.Heavy || asked[row.Form+", "+row.Defect] })
			if len(missing) > 0 {
				t.Errorf("never asked: %v", missing)
			}
		})
	}
}
