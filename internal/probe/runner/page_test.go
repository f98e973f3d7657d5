package runner_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/keys"
	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/forms"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/runner"
	"github.com/mcp-gatehouse/gatehouse/internal/token"
	"github.com/mcp-gatehouse/gatehouse/test/mcpfake"
)

var (
	pageRow      = regexp.MustCompile("(?m)^\\| `([a-z-]+)` \\| (.+) \\| (.+) \\| (.+) \\| (Beat|Full) \\| (any server|the gate) \\|$")
	formsRow     = regexp.MustCompile(`(?m)^\| (?:the [a-z]+|as usual) \| (.+) \|$`)
	defectsTable = regexp.MustCompile(`(?s)\| Defects \|\n\|---\|\n(.+?)\n\n`)
	reasonOf     = regexp.MustCompile(`reason ([a-z_]+)(?: or ([a-z_]+))?`)
)

// TestPage: docs/probe.md has every case and every form of a request, in order, and says of them what the code says.
func TestPage(t *testing.T) {
	page, err := os.ReadFile("../../../docs/probe.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := pageRow.FindAllStringSubmatch(string(page), -1)
	catalogue := probe.Catalogue()
	if len(rows) != len(catalogue) {
		t.Fatalf("the page has %d cases, the code %d", len(rows), len(catalogue))
	}
	expected := expectations(t)
	for i, info := range catalogue {
		tier, whom := "Full", "any server"
		if info.Quick {
			tier = "Beat"
		}
		if info.Exact {
			whom = "the gate"
		}
		row := rows[i]
		if want := []string{string(info.Case), info.Sends, info.Proves, tier, whom}; !slices.Equal([]string{row[1], row[2], row[4], row[5], row[6]}, want) {
			t.Errorf("the page says %q, the code %q", row[1:], want)
		}
		for _, text := range expected[info.Case] {
			if info.Case != probe.Varied && !strings.Contains(row[3], text) {
				t.Errorf("%s: the page expects %q, the code %s", info.Case, row[3], text)
			}
		}
	}
	var inForms []string
	for _, match := range formsRow.FindAllStringSubmatch(string(page), -1) {
		inForms = append(inForms, strings.Split(match[1], "; ")...)
	}
	if !slices.Equal(inForms, forms.Names()) {
		t.Errorf("the page has the forms %q, the code %q", inForms, forms.Names())
	}
	table := defectsTable.FindStringSubmatch(string(page))
	if want := "| " + strings.Join(forms.Defects(), " |\n| ") + " |"; table == nil || table[1] != want {
		t.Errorf("the page has the defects %q, the code %q", table, want)
	}
}

// TestPageCountsRows: docs/probe.md says how many rows there are, and so within how many rounds each is asked.
func TestPageCountsRows(t *testing.T) {
	page, err := os.ReadFile("../../../docs/probe.md")
	if err != nil {
		t.Fatal(err)
	}
	model, _, url := gate(t, mcpfake.Options{}, nil)
	target := model.target(url)
	target.Hosts, target.Providers[0].ProbeKey = []string{modelHost}, false
	inForms, rows := map[bool]map[string]bool{true: {}, false: {}}, map[bool]int{}
	for _, row := range forms.Rows(target) {
		inForms[row.Heavy][row.Form] = true
		rows[row.Heavy]++
	}
	for _, want := range []string{
		fmt.Sprintf("| forms that are light, each with one defect or another | %d | %[1]d rows,", len(inForms[false])),
		fmt.Sprintf("| defects, each with one form or another | %d | 40 rows,", len(forms.Defects())),
		fmt.Sprintf("| names of clients in tokens | %d | 40 rows,", len(forms.Clients())),
		fmt.Sprintf("| forms that are heavy, each with one defect or another | %d | %[1]d full checks,", len(inForms[true])),
		fmt.Sprintf("| light forms, each with each defect | %d,%03d | %[1]d,%03[2]d rows,", rows[false]/1000, rows[false]%1000),
		fmt.Sprintf("| heavy forms, each with each defect | %d | %[1]d full checks,", rows[true]),
	} {
		if !strings.Contains(string(page), want) {
			t.Errorf("docs/probe.md lacks %q", want)
		}
	}
}

// expectations are the statuses and reasons that a full round waits for.
func expectations(t *testing.T) map[probe.Case][]string {
	t.Helper()
	model, _, url := gate(t, mcpfake.Options{}, nil)
	target := model.target(strings.Replace(url, "http:", "https:", 1))
	plan := plannedChecks(t, target)
	key, err := keys.Generate(keys.RS256)
	if err != nil {
		t.Fatal(err)
	}
	target.Providers = []probe.Provider{{Name: "of RSA", Tokens: token.Template{Key: key, Lifetime: time.Minute}}}
	plan = append(plan, slices.DeleteFunc(plannedChecks(t, target), func(p runner.Planned) bool { return p.Case != probe.OtherAlgorithm })...)
	out := map[probe.Case][]string{}
	for _, planned := range plan {
		out[planned.Case] = append(out[planned.Case], planned.Expected[:3])
		for _, match := range reasonOf.FindAllStringSubmatch(planned.Expected, -1) {
			for _, reason := range slices.DeleteFunc(match[1:], func(text string) bool { return text == "" }) {
				out[planned.Case] = append(out[planned.Case], "`"+reason+"`")
			}
		}
	}
	for _, name := range probe.Cases() {
		if len(out[name]) == 0 {
			t.Errorf("%s is not planned", name)
		}
	}
	return out
}

func plannedChecks(t *testing.T, target probe.Target) []runner.Planned {
	t.Helper()
	plan, err := runner.Plan(target)
	if err != nil {
		t.Fatal(err)
	}
	return plan
}
