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
	var page []string
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "| ") && !strings.HasPrefix(line, "| The gate") {
			page = append(page, line)
		}
	}
	if got, want := strings.Join(page, ""), table(); got != want {
		t.Errorf("the table of docs/mutation.md should be\n%s", want)
	}
}

func table() string {
	var out strings.Builder
	for _, m := range mutants() {
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
	for _, m := range mutants() {
		alone[m.named] = alone[m.named] || m.only
	}
	for _, name := range probe.Cases() {
		if !alone[name] {
			t.Errorf("without the case %s every mutant would still be found: add one that this case alone sees", name)
		}
	}
}
