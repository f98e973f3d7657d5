package manifests

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var metricName = regexp.MustCompile(`gatehouse_[a-z_]+[a-z]`)

// TestRulesNameMetrics: what the alerts ask for is a metric that somebody has.
func TestRulesNameMetrics(t *testing.T) {
	rules, err := os.ReadFile("../../config/prometheus/rules.yaml")
	if err != nil {
		t.Fatal(err)
	}
	documented := ""
	for _, page := range []string{"metrics.md", "gate.md"} {
		text, err := os.ReadFile(filepath.Join("../../docs", page))
		if err != nil {
			t.Fatal(err)
		}
		documented += string(text)
	}
	found := 0
	for line := range strings.Lines(string(rules)) {
		if !strings.Contains(line, "expr:") {
			continue
		}
		for _, name := range metricName.FindAllString(line, -1) {
			found++
			if !strings.Contains(documented, "`"+name) {
				t.Errorf("an alert asks for %s, which no page of docs/ describes", name)
			}
		}
	}
	if found == 0 {
		t.Error("no alert asks for any metric")
	}
}
