package alerts

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const (
	alertsPage = "../../docs/alerts.md"
	pageURL    = "https://github.com/mcp-gatehouse/gatehouse/blob/main/docs/alerts.md#"
	chartsOf   = "../../config/chart/files/rules.yaml"
)

var tableRow = regexp.MustCompile("(?m)^\\| \\[`(Gatehouse[A-Za-z]+)`\\]\\(#([a-z]+)\\) \\| ([a-z]+) \\| ([a-z0-9]+) \\|")

// The page has a row and a section for each alert, in the order of the rules, and none for another.
func TestPageAndRulesAgree(t *testing.T) {
	text, err := os.ReadFile(alertsPage)
	if err != nil {
		t.Fatal(err)
	}
	var want, rows, sections []string
	for _, alert := range readAlerts(t) {
		wait := alert.For
		if wait == "" {
			wait = "0m"
		}
		want = append(want, alert.Alert+" "+alert.Labels["severity"]+" "+wait)
	}
	for _, row := range tableRow.FindAllStringSubmatch(string(text), -1) {
		rows = append(rows, row[1]+" "+row[3]+" "+row[4])
		if row[2] != strings.ToLower(row[1]) {
			t.Errorf("the row of %s leads to #%s", row[1], row[2])
		}
	}
	for line := range strings.Lines(string(text)) {
		if name, found := strings.CutPrefix(strings.TrimSpace(line), "## Gatehouse"); found {
			sections = append(sections, "Gatehouse"+name)
		}
	}
	if !slices.Equal(rows, want) {
		t.Errorf("the table of %s has\n%s\nthe rules have\n%s", alertsPage, strings.Join(rows, "\n"), strings.Join(want, "\n"))
	}
	for i, alert := range want {
		name, _, _ := strings.Cut(alert, " ")
		if i >= len(sections) || sections[i] != name {
			t.Errorf("the sections of %s are %v; that of %s is not in its place", alertsPage, sections, name)
			break
		}
	}
	if len(sections) != len(want) {
		t.Errorf("%d sections for %d alerts", len(sections), len(want))
	}
}

// An alert tells its reader how bad it is, what it is about, and where to read on.
func TestAlertsTellWhatToDo(t *testing.T) {
	for _, alert := range readAlerts(t) {
		name := alert.Alert
		if severity := alert.Labels["severity"]; severity != "critical" && severity != "warning" {
			t.Errorf("%s: severity %q", name, severity)
		}
		if got := alert.Annotations["runbook_url"]; got != pageURL+strings.ToLower(name) {
			t.Errorf("%s: runbook_url %q", name, got)
		}
		summary, description := alert.Annotations["summary"], alert.Annotations["description"]
		if summary == "" || description == "" || strings.HasSuffix(summary, ".") || strings.Contains(summary, "\n") {
			t.Errorf("%s: summary %q, description %q", name, summary, description)
		}
		// What is counted by server names the server, in both.
		if strings.Contains(alert.Expr, "by (namespace, server") || strings.Contains(alert.Expr, "server:") {
			for _, text := range []string{summary, description} {
				if !strings.Contains(text, "{{ $labels.namespace }}/{{ $labels.server }}") {
					t.Errorf("%s does not name the server in %q", name, text)
				}
			}
		}
	}
}

func TestChartHasTheSameRules(t *testing.T) {
	ours, err := os.ReadFile(rulesFile)
	if err != nil {
		t.Fatal(err)
	}
	charts, err := os.ReadFile(chartsOf)
	if err != nil {
		t.Fatal(err)
	}
	if string(ours) != string(charts) {
		t.Errorf("%s is not %s: run make generate", chartsOf, rulesFile)
	}
}
