package mutation

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
)

// docs/mutation.md has the mutants, as they are here.
func TestPage(t *testing.T) {
	text, err := os.ReadFile(root + "/docs/mutation.md")
	if err != nil {
		t.Fatal(err)
	}
	for heading, want := range map[string]string{"| The gate": mutantTable(), "| Form | Defect": leakTable()} {
		if got := under(string(text), heading); got != want {
			t.Errorf("the table %q of docs/mutation.md should be\n%s", heading, want)
		}
	}
}

// under are the rows of the table whose heading begins so.
func under(page, heading string) string {
	_, rest, _ := strings.Cut(page, "\n"+heading)
	table, _, _ := strings.Cut(rest, "\n\n")
	rows := strings.SplitAfterN(table, "\n", 3)
	return rows[len(rows)-1] + "\n"
}

func mutantTable() string {
	var out strings.Builder
	for _, m := range allMutants() {
		alone := ""
		if m.only {
			alone = "yes"
		}
		fmt.Fprintf(&out, "| %s | %s | `%s` | %s | %s |\n", m.does, m.kind, m.named, m.outcome, alone)
	}
	return out.String()
}

// Of each case there is a mutant that it alone sees.
func TestNoCaseIsIdle(t *testing.T) {
	alone := map[probe.Case]bool{}
	for _, m := range allMutants() {
		alone[m.named] = alone[m.named] || m.only
	}
	for _, name := range probe.Cases() {
		if !alone[name] {
			t.Errorf("without the case %s every mutant would still be found: add one that this case alone sees", name)
		}
	}
}
