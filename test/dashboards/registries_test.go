package dashboards

import (
	"crypto/x509"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	crmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"
	// It registers the metrics of controllers.
	_ "sigs.k8s.io/controller-runtime/pkg/controller"

	"github.com/mcp-gatehouse/gatehouse/controllers/authprobe"
	"github.com/mcp-gatehouse/gatehouse/controllers/reporting"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/telemetry/metrics"
	"github.com/mcp-gatehouse/gatehouse/internal/rollout"
)

// targetLabels are those that a target has by the monitors of config/prometheus, or by Prometheus itself.
var targetLabels = map[string][]string{
	"gatehouse-operator": {"job", "instance", "namespace", "pod"},
	"gatehouse-gates":    {"job", "instance", "namespace", "pod", "server"},
}

// exported has the labels of each metric, by its name: its own, and those of the target it is scraped from. What both
// programs export has the labels of either.
type exported map[string]map[string]bool

// description is how client_golang writes a metric's; it gives the parts by no other way.
var description = regexp.MustCompile(`^Desc\{fqName: "([^"]+)", help: ".*", constLabels: \{([^}]*)\}, variableLabels: \{([^}]*)\}\}$`)

func (e exported) add(t *testing.T, job string, registered prometheus.Collector) {
	t.Helper()
	found := make(chan *prometheus.Desc)
	go func() {
		defer close(found)
		registered.Describe(found)
	}()
	own := exported{}
	for desc := range found {
		parts := description.FindStringSubmatch(desc.String())
		if parts == nil {
			t.Errorf("cannot read %s", desc)
			continue
		}
		own.name(parts[1], job, labelsOf(parts[2], parts[3]))
		// Whether it is a histogram, a description does not say.
		own.name(parts[1]+"_bucket", job, append(labelsOf(parts[2], parts[3]), "le"))
	}
	own.name("up", job, nil)
	for name, labels := range own {
		if e[name] == nil {
			e[name] = map[string]bool{}
		}
		maps.Copy(e[name], labels)
	}
}

func (e exported) name(metric, job string, labels []string) {
	if e[metric] == nil {
		e[metric] = map[string]bool{}
	}
	for _, label := range append(slices.Clone(targetLabels[job]), labels...) {
		e[metric][label] = true
	}
}

func labelsOf(constant, variable string) (out []string) {
	for pair := range strings.SplitSeq(constant, ",") {
		name, _, _ := strings.Cut(pair, "=")
		out = append(out, name)
	}
	return append(out, strings.Split(variable, ",")...)
}

// register returns what the operator and the gate register at their start.
func register(t *testing.T) exported {
	t.Helper()
	out := exported{}
	operator := prometheus.NewRegistry()
	check(t, reporting.NewMetrics().Register(operator))
	check(t, rollout.NewLimiter(1).Register(operator))
	_, err := authprobe.NewReconciler(nil, nil, nil, authprobe.Options{Registry: operator})
	check(t, err)
	out.add(t, "gatehouse-operator", operator)
	shared, ok := crmetrics.Registry.(prometheus.Collector)
	if !ok {
		t.Fatal("controller-runtime's registry does not describe its metrics")
	}
	out.add(t, "gatehouse-operator", shared)
	// Nobody can import package main.
	source, err := os.ReadFile("../../cmd/operator/leading.go")
	check(t, err)
	out.name(string(regexp.MustCompile(`Name: "(\w+)"`).FindSubmatch(source)[1]), "gatehouse-operator", nil)

	gate := metrics.New(func() map[string]int { return nil })
	gate.WatchCertificate(func() *x509.Certificate { return nil })
	gate.WatchFiles(func() error { return nil })
	gate.WatchStreams(func() int { return 0 })
	gate.WatchAudit(func() uint64 { return 0 })
	gate.WatchKeyAge(func() map[string]time.Duration { return nil })
	gate.WatchFaultyKeys(func() map[string]int { return nil })
	gates, ok := gate.Gatherer().(prometheus.Collector)
	if !ok {
		t.Fatal("the gate's registry does not describe its metrics")
	}
	out.add(t, "gatehouse-gates", gates)
	return out
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
