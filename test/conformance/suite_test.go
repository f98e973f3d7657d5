//go:build conformance

package conformance

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// suite is a version of the conformance suite that judges a server.
type suite struct {
	name   string
	tool   string // the package's name in node/package.json
	args   []string
	server server
	// total is what the suite finds about the server itself. It is written down, so that a suite that finds nothing is
	// noticed, and a new version is looked at.
	total string
	// gains are scenarios in which the server fails and the gate makes good for it; gatedTotal is then what the suite
	// finds through the gate.
	gains      []string
	gatedTotal string
}

// mayRefuse are the reasons for which the gate may refuse something that a suite sends: a foreign Host, and headers that
// say something else than the body, are there to be refused.
var mayRefuse = []string{"wrong_host", "header_mismatch"}

var suites = []suite{
	{name: "0.1.16 stateful", tool: "conformance-0.1", server: stateful, total: "40 passed, 0 failed"},
	{
		name: "2025-11-25 stateful", tool: "conformance-0.2", args: []string{"--requirements", "2025-11-25"},
		server: stateful, total: "82 passed, 0 failed",
	},
	{
		// The failures are of an extension, tasks, that the server does not have.
		name: "2026-07-28 stateless", tool: "conformance-0.2", args: []string{"--requirements", "2026-07-28"},
		server: stateless, total: "165 passed, 30 failed",
	},
	{
		// The reference server's tools have other names than the suite asks for.
		name: "0.1.16 reference", tool: "conformance-0.1", server: reference, total: "13 passed, 19 failed",
		gains: []string{"dns-rebinding-protection"}, gatedTotal: "14 passed, 18 failed",
	},
	{
		name: "2025-11-25 reference", tool: "conformance-0.2", args: []string{"--requirements", "2025-11-25"},
		server: reference, total: "47 passed, 22 failed",
		gains: []string{"dns-rebinding-protection"}, gatedTotal: "48 passed, 21 failed",
	},
}

// TestSuites: through the gate each scenario ends as it ends without, check by check, round by round.
func TestSuites(t *testing.T) {
	for _, s := range suites {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			bare, gated := s.server.bare(t), s.server.gated(t)
			for round := 1; round <= *rounds; round++ {
				t.Run(fmt.Sprint("round ", round), func(t *testing.T) { s.compare(t, bare, gated) })
			}
		})
	}
}

func (s suite) compare(t *testing.T, bare, gated site) {
	t.Helper()
	want := s.run(t, bare, "bare")
	forwarded, refused := gated.requests(t)
	got := s.run(t, gated, "gated")
	forwardedAfter, refusedAfter := gated.requests(t)
	totals.add(s.name, want.total, got.total)

	gatedTotal := s.total
	for _, scenario := range s.gains {
		gatedTotal = s.gatedTotal
		if !strings.HasPrefix(want.scenarios[scenario], "✗") || !strings.HasPrefix(got.scenarios[scenario], "✓") {
			t.Errorf("the gate should turn %q into a success: %q", want.scenarios[scenario], got.scenarios[scenario])
		}
		want.forget(scenario)
		got.forget(scenario)
	}
	if want.total != s.total || got.total != gatedTotal {
		t.Errorf("%s without the gate and %s through it, want %s and %s", want.total, got.total, s.total, gatedTotal)
	}
	if diff := difference(want.lines(), got.lines()); diff != "" {
		t.Errorf("scenarios and their checks (-without the gate, +through it):\n%s", diff)
	}
	if forwardedAfter == forwarded {
		t.Error("nothing went through the gate")
	}
	for reason, count := range since(refused, refusedAfter) {
		if !slices.Contains(mayRefuse, reason) {
			t.Errorf("the gate refused %d requests: %s", count, reason)
		}
	}
	if t.Failed() {
		t.Logf("all that the suite wrote is in %s", *logDir)
	}
}

// findings are what a suite found about a server.
type findings struct {
	total     string
	scenarios map[string]string   // the closing line of each
	checks    map[string][]string // "ID: STATUS" of each check in a scenario
}

// lines are for comparison: one for each scenario and one for each check, in order.
func (f findings) lines() []string {
	var lines []string
	for scenario, closing := range f.scenarios {
		lines = append(lines, scenario+" "+closing)
		for _, check := range f.checks[scenario] {
			lines = append(lines, scenario+" / "+check)
		}
	}
	slices.Sort(lines)
	return lines
}

// difference of two lists in order, for a person to read; empty if there is none.
func difference(want, got []string) string {
	var text strings.Builder
	for len(want)+len(got) > 0 {
		switch {
		case len(got) == 0 || len(want) > 0 && want[0] < got[0]:
			fmt.Fprintln(&text, "-", want[0])
			want = want[1:]
		case len(want) == 0 || got[0] < want[0]:
			fmt.Fprintln(&text, "+", got[0])
			got = got[1:]
		default:
			want, got = want[1:], got[1:]
		}
	}
	return text.String()
}

func (f findings) forget(scenario string) {
	delete(f.scenarios, scenario)
	delete(f.checks, scenario)
}

var (
	scenarioLine = regexp.MustCompile(`(?m)^[✓✗] ([\w-]+): \d+ passed, \d+ failed.*$`)
	totalLine    = regexp.MustCompile(`(?m)^Total: (\d+ passed, \d+ failed)$`)
	// Each scenario has a folder with its checks, named after itself and the time.
	scenarioFolder = regexp.MustCompile(`^server-(.+)-\d{4}-\d\d-\d\dT[\d-]+Z$`)
)

// run lets the suite judge what it meets at the site.
func (s suite) run(t *testing.T, at site, side string) findings {
	t.Helper()
	dir := t.TempDir()
	environment, command := []string(nil), []string{node(t)}
	if at.tokens != nil {
		endpoint, err := url.Parse(at.url)
		if err != nil {
			t.Fatal(err)
		}
		environment = []string{"GATE_ORIGIN=http://" + endpoint.Host, "GATE_TOKEN=" + at.goodToken(t)}
		command = append(command, "--import", inNode("bearer.mjs"))
	}
	command = append(command, inNode("node_modules", s.tool, "dist/index.js"), "server", "--url", at.url, "--output-dir", dir)
	output, _ := run(t, 5*time.Minute, environment, append(command, s.args...)...)
	if err := os.WriteFile(logFile(t, side), []byte(output), 0o600); err != nil {
		t.Fatal(err)
	}
	found := findings{scenarios: map[string]string{}, checks: readChecks(t, dir)}
	for _, line := range scenarioLine.FindAllStringSubmatch(output, -1) {
		found.scenarios[line[1]] = line[0]
	}
	if total := totalLine.FindStringSubmatch(output); total != nil {
		found.total = total[1]
	}
	return found
}

func readChecks(t *testing.T, dir string) map[string][]string {
	t.Helper()
	folders, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string][]string{}
	for _, folder := range folders {
		scenario := scenarioFolder.FindStringSubmatch(folder.Name())
		if scenario == nil {
			t.Fatalf("the suite wrote %s, which is no scenario's folder", folder.Name())
		}
		data, err := os.ReadFile(filepath.Join(dir, folder.Name(), "checks.json"))
		if err != nil {
			t.Fatal(err)
		}
		var checks []struct{ ID, Status string }
		if err := json.Unmarshal(data, &checks); err != nil {
			t.Fatalf("%s: %v", folder.Name(), err)
		}
		for _, check := range checks {
			found[scenario[1]] = append(found[scenario[1]], check.ID+": "+check.Status)
		}
	}
	return found
}
