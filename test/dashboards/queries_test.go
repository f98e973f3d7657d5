package dashboards

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/promql/parser"
)

type panel struct {
	Title       string  `json:"title"`
	Description string  `json:"description"`
	Type        string  `json:"type"`
	Panels      []panel `json:"panels"`
	Targets     []struct {
		Expr         string `json:"expr"`
		LegendFormat string `json:"legendFormat"`
	} `json:"targets"`
}

func (p panel) all() []panel {
	out := []panel{p}
	for _, inner := range p.Panels {
		out = append(out, inner.all()...)
	}
	return out
}

// variables of Grafana, and of the dashboards, with a value of each.
var variables = strings.NewReplacer("$__rate_interval", "2m", "$__range", "24h", "$namespace", "team-a", "$name", "files")

func read(t *testing.T, name string) []panel {
	t.Helper()
	text, err := os.ReadFile("../../config/grafana/" + name + ".json")
	check(t, err)
	var whole panel
	check(t, json.Unmarshal(text, &whole))
	return whole.all()[1:]
}

var inLegend = regexp.MustCompile(`\{\{(\w+)\}\}`)

func TestQueriesNameMetricsAndLabelsThatExist(t *testing.T) {
	known, promql := register(t), parser.NewParser(parser.Options{})
	for _, name := range []string{"fleet", "server"} {
		queries := 0
		for _, p := range read(t, name) {
			for _, target := range p.Targets {
				queries++
				expr := variables.Replace(target.Expr)
				if strings.Contains(expr, "$") {
					t.Errorf("%s, %s: an unknown variable: %s", name, p.Title, expr)
				}
				tree, err := promql.ParseExpr(expr)
				if err != nil {
					t.Errorf("%s, %s: %v", name, p.Title, err)
					continue
				}
				for _, problem := range known.problems(tree, target.LegendFormat) {
					t.Errorf("%s, %s: %s", name, p.Title, problem)
				}
			}
		}
		if queries < 25 {
			t.Errorf("%s has %d queries", name, queries)
		}
	}
}

// problems names what an expression, or the legend of its series, asks for in vain.
func (e exported) problems(tree parser.Expr, legend string) (out []string) {
	labels, made := map[string]bool{}, map[string]bool{}
	parser.Inspect(tree, func(node parser.Node, _ []parser.Node) error {
		switch node := node.(type) {
		case *parser.VectorSelector:
			if e[node.Name] == nil {
				out = append(out, "no program exports "+node.Name)
				return nil
			}
			for label := range e[node.Name] {
				labels[label] = true
			}
			for _, matcher := range node.LabelMatchers {
				if matcher.Name != "__name__" && !e[node.Name][matcher.Name] {
					out = append(out, node.Name+" has no label "+matcher.Name)
				}
			}
		case *parser.AggregateExpr:
			if len(node.Grouping) > 0 {
				out = append(out, e.lacking(node)...)
			}
		case *parser.Call:
			if node.Func.Name == "label_replace" {
				made[node.Args[1].(*parser.StringLiteral).Val] = true
			}
		}
		return nil
	})
	for _, found := range inLegend.FindAllStringSubmatch(legend, -1) {
		if !labels[found[1]] && !made[found[1]] {
			out = append(out, "the legend asks for label "+found[1])
		}
	}
	return out
}

// lacking names labels by which an aggregation groups metrics that do not have them.
func (e exported) lacking(node *parser.AggregateExpr) (out []string) {
	parser.Inspect(node.Expr, func(inner parser.Node, _ []parser.Node) error {
		selector, ok := inner.(*parser.VectorSelector)
		if !ok {
			return nil
		}
		for _, label := range node.Grouping {
			if e[selector.Name] != nil && !e[selector.Name][label] {
				out = append(out, selector.Name+" has no label "+label+" to group by")
			}
		}
		return nil
	})
	return out
}

func TestPanelsSayWhatTheyShow(t *testing.T) {
	for _, name := range []string{"fleet", "server"} {
		for _, p := range read(t, name) {
			if p.Type != "row" && (p.Title == "" || p.Description == "" || len(p.Targets) == 0) {
				t.Errorf("%s: panel %q of type %s lacks a title, a description or a query", name, p.Title, p.Type)
			}
		}
	}
}

// Every panel has its name on the page, so that a reader of either finds the other.
func TestPageNamesEachPanel(t *testing.T) {
	page, err := os.ReadFile("../../docs/dashboards.md")
	check(t, err)
	var missing []string
	for _, name := range []string{"fleet", "server"} {
		for _, p := range read(t, name) {
			if p.Type != "row" && !strings.Contains(string(page), "| "+p.Title+" |") {
				missing = append(missing, name+": "+p.Title)
			}
		}
	}
	if len(missing) > 0 {
		t.Errorf("docs/dashboards.md does not name %v", slices.Compact(missing))
	}
}

// What has to be found wrong is found.
func TestInventedMetricsAndLabelsAreFound(t *testing.T) {
	known, promql := register(t), parser.NewParser(parser.Options{})
	for expr, want := range map[string]string{
		`gatehouse_key_phase`:                               "no program exports gatehouse_key_phase",
		`gatehouse_ready{name="files"}`:                     "gatehouse_ready has no label name",
		`sum by (provider) (gatehouse_gate_requests_total)`: "gatehouse_gate_requests_total has no label provider to group by",
	} {
		tree, err := promql.ParseExpr(expr)
		check(t, err)
		if got := known.problems(tree, ""); !slices.Contains(got, want) {
			t.Errorf("%s: %v", expr, got)
		}
	}
	tree, err := promql.ParseExpr(`gatehouse_ready`)
	check(t, err)
	if got := known.problems(tree, "{{pood}}"); len(got) != 1 {
		t.Errorf("a legend with an unknown label: %v", got)
	}
}
