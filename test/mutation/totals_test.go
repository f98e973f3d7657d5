//go:build mutation

package mutation

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/verdicts"
)

// totals are what the rounds came to.
var totals matrix

// matrix tells which cases find which mutant.
type matrix struct {
	mu sync.Mutex
	// cases are those of a round, in their order.
	cases []probe.Case
	rows  []matrixRow
}

type matrixRow struct {
	mutant  mutantGate
	verdict probe.Verdict
	// red are the cases that went otherwise than they must.
	red []probe.Case
}

// ask learns the cases of a round in which each was asked that can be.
func (m *matrix) ask(report probe.Report) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, result := range report.Results {
		if !slices.Contains(m.cases, result.Case) {
			m.cases = append(m.cases, result.Case)
		}
	}
}

func (m *matrix) add(mutant mutantGate, report probe.Report) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.rows = append(m.rows, matrixRow{mutant: mutant, verdict: verdicts.Of(report), red: red(report)})
}

// red are the cases that judged the gate and found something, in their order, each once.
func red(report probe.Report) []probe.Case {
	var found []probe.Case
	for _, result := range report.Results {
		if isRed(result) && !slices.Contains(found, result.Case) {
			found = append(found, result.Case)
		}
	}
	return found
}

func isRed(result probe.Result) bool {
	return !slices.Contains([]probe.Outcome{probe.Passed, probe.NotTried, probe.Throttled}, result.Outcome)
}

// details are what the red cases saw, a line each.
func details(report probe.Report) string {
	var out strings.Builder
	for _, result := range report.Results {
		if isRed(result) {
			fmt.Fprintf(&out, "\n%s, %s: %s: expected %s, saw %s", result.Case, result.Variation, result.Outcome, result.Expected, result.Seen)
		}
	}
	return out.String()
}

// isWhole tells whether every mutant was tried: of a part nothing follows for the cases.
func (m *matrix) isWhole() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.rows) == len(allMutants())
}

// idle are the cases without which every mutant would still be found.
func (m *matrix) idle() []probe.Case {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(m.cases), func(name probe.Case) bool {
		return slices.ContainsFunc(m.rows, func(r matrixRow) bool { return slices.Equal(r.red, []probe.Case{name}) })
	})
}

// write writes the table and the sums for a person to read.
func (m *matrix) write(file string) error {
	idle := m.idle()
	m.mu.Lock()
	defer m.mu.Unlock()
	var text bytes.Buffer
	columns := tabwriter.NewWriter(&text, 0, 0, 3, ' ', 0)
	fmt.Fprintln(columns, "a gate that\tis\tby\tand is seen by")
	found, named := 0, 0
	for _, wanted := range allMutants() {
		i := slices.IndexFunc(m.rows, func(r matrixRow) bool { return r.mutant.name == wanted.name })
		if i < 0 {
			continue
		}
		r := m.rows[i]
		fmt.Fprintf(columns, "%s\t%s\t%s %s\t%v\n", wanted.does, r.verdict.Kind, r.verdict.Case, r.verdict.Outcome, r.red)
		if r.verdict.Kind != probe.Locked {
			found++
		}
		if r.verdict.Case == wanted.named {
			named++
		}
	}
	if err := columns.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(&text, "mutation: %d mutants, %d found, %d named; %d cases, %d idle\n",
		len(m.rows), found, named, len(m.cases), len(idle))
	return os.WriteFile(file, text.Bytes(), 0o600)
}
