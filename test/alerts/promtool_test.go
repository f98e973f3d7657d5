//go:build alerts

package alerts

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/yaml"
)

// scrape is how often targets are scraped, and evaluation how often rules are evaluated: the defaults of the Prometheus
// operator and of Prometheus.
const (
	scrape     = 30 * time.Second
	evaluation = time.Minute
)

// The parts of promtool's test files that are used here.
type (
	unitTest struct {
		RuleFiles          []string   `json:"rule_files"`
		EvaluationInterval string     `json:"evaluation_interval"`
		Tests              []testCase `json:"tests"`
	}
	testCase struct {
		Interval    string        `json:"interval"`
		InputSeries []inputSeries `json:"input_series"`
		Expressions []exprTest    `json:"promql_expr_test,omitempty"`
		Alerts      []alertTest   `json:"alert_rule_test,omitempty"`
	}
	inputSeries struct {
		Series string `json:"series"`
		Values string `json:"values"`
	}
	exprTest struct {
		Expr    string   `json:"expr"`
		At      string   `json:"eval_time"`
		Samples []sample `json:"exp_samples"`
	}
	sample struct {
		Labels string  `json:"labels"`
		Value  float64 `json:"value"`
	}
	alertTest struct {
		At    string     `json:"eval_time"`
		Name  string     `json:"alertname"`
		Pages []pageTest `json:"exp_alerts"`
	}
	pageTest struct {
		Labels      map[string]string `json:"exp_labels"`
		Annotations map[string]string `json:"exp_annotations"`
	}
)

// scene is a case: what is scraped, and what has to be told when.
type scene struct {
	length time.Duration
	world  func(at time.Duration) fleet
	checks []exprTest
	pages  []alertTest
}

// inputs writes the series of a world. A series that is no longer scraped is stale at once, as Prometheus makes it.
func (s scene) inputs() []inputSeries {
	values, steps := map[string][]string{}, int(s.length/scrape)+1
	for i := range steps {
		for name, value := range s.world(time.Duration(i) * scrape).samples() {
			if values[name] == nil {
				values[name] = slices.Repeat([]string{"_"}, steps)
			}
			values[name][i] = strconv.FormatFloat(value, 'f', -1, 64)
		}
	}
	var out []inputSeries
	for _, name := range slices.Sorted(maps.Keys(values)) {
		row := values[name]
		for i := 1; i < steps; i++ {
			if row[i] == "_" && row[i-1] != "_" && row[i-1] != "stale" {
				row[i] = "stale"
			}
		}
		out = append(out, inputSeries{name, strings.Join(row, " ")})
	}
	return out
}

// judge is promtool with the rules in a file as Prometheus reads it.
type judge struct{ promtool, rules string }

// newJudge fails where there is no promtool: alerts that were not tried are not known to work.
func newJudge(t *testing.T) judge {
	t.Helper()
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Fatalf("this test needs promtool, which Debian's package prometheus has (apt-get install prometheus): %v", err)
	}
	data, err := yaml.Marshal(map[string]any{"groups": readGroups(t)})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "rules.yml")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return judge{promtool, path}
}

// run puts the scene to promtool, as a subtest.
func (s scene) run(t *testing.T, by judge, name string) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		t.Parallel()
		file := unitTest{RuleFiles: []string{by.rules}, EvaluationInterval: seconds(evaluation), Tests: []testCase{{
			Interval: seconds(scrape), InputSeries: s.inputs(), Expressions: s.checks, Alerts: s.pages,
		}}}
		data, err := yaml.Marshal(file)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "case.yml")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if output, err := exec.CommandContext(t.Context(), by.promtool, "test", "rules", path).CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, output)
		}
	})
}

func seconds(d time.Duration) string { return fmt.Sprintf("%ds", int(d.Seconds())) }

// firing expects these alerts, and no other, at a time.
func firing(at time.Duration, alerts ...map[string]string) exprTest {
	out := exprTest{Expr: `ALERTS{alertstate="firing"}`, At: seconds(at), Samples: []sample{}}
	for _, labels := range alerts {
		out.Samples = append(out.Samples, sample{series("ALERTS", labels, "alertstate", "firing"), 1})
	}
	return out
}

// everFired expects that of all alerts these, and no other, have fired at some time until at.
func everFired(at time.Duration, alerts ...map[string]string) exprTest {
	out := firing(at, alerts...)
	out.Expr = fmt.Sprintf(`max_over_time(ALERTS{alertstate="firing"}[%s])`, seconds(at))
	for i := range out.Samples {
		out.Samples[i].Labels = strings.TrimPrefix(out.Samples[i].Labels, "ALERTS")
	}
	return out
}

// steady expects that an alert has fired without a break for the last ten minutes.
func steady(at time.Duration, alert map[string]string) exprTest {
	out := firing(at, alert)
	out.Expr = fmt.Sprintf(`min_over_time((sum without () (%s) or on () vector(0))[10m:30s])`, series("ALERTS", alert, "alertstate", "firing"))
	out.Samples[0].Labels = strings.TrimPrefix(out.Samples[0].Labels, "ALERTS")
	return out
}
