package alerts

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// metricName finds the names of our metrics, and not those of recording rules, which have colons.
var metricName = regexp.MustCompile(`(?:^|[^a-z:_])(gatehouse_[a-z_]*[a-z])(?:$|[^a-z:_])`)

// asked returns the metrics that the rules ask for, sorted.
func asked(t *testing.T) []string {
	t.Helper()
	names := map[string]bool{}
	for _, g := range readGroups(t) {
		for _, r := range g.Rules {
			for _, found := range metricName.FindAllStringSubmatch(r.Expr, -1) {
				names[found[1]] = true
			}
		}
	}
	if len(names) < 10 {
		t.Errorf("the rules ask for %d metrics", len(names))
	}
	return slices.Sorted(maps.Keys(names))
}

// texts joins the files below a folder whose name ends so.
func texts(t *testing.T, folder, ending string) string {
	t.Helper()
	var all strings.Builder
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ending) || strings.HasSuffix(path, "_test.go") {
			return err
		}
		data, err := os.ReadFile(path)
		all.Write(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.String()
}

// operatorSources are those of the packages that are compiled into the operator and register metrics.
func operatorSources(t *testing.T) string {
	t.Helper()
	var all string
	for _, folder := range []string{"controllers", "internal/conditions", "internal/probemetrics", "internal/rollout", "cmd/operator"} {
		all += texts(t, filepath.Join("..", "..", folder), ".go")
	}
	return all
}

// What the rules ask for is described, and exported by the program that the description is of.
func TestRulesAskForMetricsThatExist(t *testing.T) {
	operator, gate := operatorSources(t), texts(t, "../../internal/gate/telemetry/metrics", ".go")
	operatorPage, gatePage := texts(t, "../../docs", "metrics.md"), texts(t, "../../docs", "gate.md")
	for _, name := range asked(t) {
		source, page, quoted := operator, operatorPage, `"`+name+`"`
		if part, found := strings.CutPrefix(name, "gatehouse_gate_"); found {
			source, page, quoted = gate, gatePage, `"`+part+`"`
		}
		if !strings.Contains(source, quoted) {
			t.Errorf("an alert asks for %s, which no program exports", name)
		}
		if !strings.Contains(page, "| `"+name+"` |") {
			t.Errorf("an alert asks for %s, which no page of docs/ describes", name)
		}
	}
}

// The page of the operator's metrics describes those that it exports, and no other.
func TestPageDescribesTheOperatorsMetrics(t *testing.T) {
	exported, described := map[string]bool{}, map[string]bool{}
	for _, found := range regexp.MustCompile(`"(gatehouse_[a-z_]+)"`).FindAllStringSubmatch(operatorSources(t), -1) {
		exported[found[1]] = true
	}
	for _, found := range regexp.MustCompile("(?m)^\\| `(gatehouse_[a-z_]+)` \\|").FindAllStringSubmatch(texts(t, "../../docs", "metrics.md"), -1) {
		described[found[1]] = true
	}
	if got, want := slices.Sorted(maps.Keys(described)), slices.Sorted(maps.Keys(exported)); !slices.Equal(got, want) {
		t.Errorf("docs/metrics.md describes %v\nthe operator exports %v", got, want)
	}
}

// Pages name alerts that there are.
func TestPagesNameAlertsThatExist(t *testing.T) {
	known := map[string]bool{}
	for _, alert := range readAlerts(t) {
		known[alert.Alert] = true
	}
	for _, found := range regexp.MustCompile("`(Gatehouse[A-Z][A-Za-z]+)`").FindAllStringSubmatch(texts(t, "../../docs", ".md"), -1) {
		if !known[found[1]] {
			t.Errorf("a page names %s, and there is no such alert", found[1])
		}
	}
}
