//go:build scale

package scale

import (
	"cmp"
	"io"
	"maps"
	"net"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/mcp-gatehouse/gatehouse/test/pod"
)

// operatorProcess is a process of the operator.
type operatorProcess struct {
	pid     int
	metrics string
}

// startOperator runs the operator until the test has ended.
func startOperator(t *testing.T, control *controlPlane, log string) *operatorProcess {
	t.Helper()
	metrics := freeAddress(t)
	flags := []string{
		"--authproxy-image=example.com/authproxy:v1", "--namespace=" + operatorNamespace,
		"--metrics-bind-address=" + metrics, "--metrics-secure=false", "--health-probe-bind-address=" + freeAddress(t),
	}
	if *qps > 0 {
		flags = append(flags, "--probe-qps="+strconv.Itoa(*qps))
	}
	environment := []string{"KUBECONFIG=" + control.kubeconfig, "GOMEMLIMIT=" + cmp.Or(*memoryLimit, "off")}
	process := pod.Start(t, filepath.Join(*logDir, log), environment, append([]string{*program}, flags...)...)
	return &operatorProcess{pid: process.PID, metrics: "http://" + metrics + "/metrics"}
}

// serves tells whether the operator gives metrics yet.
func (o *operatorProcess) serves(t *testing.T) bool {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, o.metrics, nil)
	must(t, err)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	response.Body.Close()
	return response.StatusCode == http.StatusOK
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	must(t, err)
	defer listener.Close()
	return listener.Addr().String()
}

// reading is what the operator has cost so far.
type reading struct {
	at     time.Time
	cpu    time.Duration
	memory pod.Memory
	// requests are those to the API server, by HTTP method.
	requests map[string]float64
	// rounds are those of the prober, by tier.
	rounds map[string]float64
	// served are the requests of all clients of the API server but for watches, by "VERB resource subresource".
	served map[string]float64
}

func (o *operatorProcess) read(t *testing.T, control *controlPlane) reading {
	t.Helper()
	own := scrape(t, o.metrics)
	out := reading{at: time.Now(), cpu: pod.CPUOf(t, o.pid), requests: sums(own["rest_client_requests_total"], "method")}
	memory, err := pod.MemoryOf(o.pid)
	must(t, err)
	out.memory = memory
	out.rounds = sums(own["gatehouse_probe_rounds_total"], "tier")
	out.served = sums(served(t, control.config)["apiserver_request_total"], "verb", "resource", "subresource")
	maps.DeleteFunc(out.served, func(name string, _ float64) bool { return strings.HasPrefix(name, "WATCH") })
	return out
}

// served are the metrics of the API server.
func served(t *testing.T, config *rest.Config) map[string]*dto.MetricFamily {
	t.Helper()
	client, err := kubernetes.NewForConfig(config)
	must(t, err)
	text, err := client.RESTClient().Get().AbsPath("/metrics").DoRaw(t.Context())
	must(t, err)
	return parse(t, strings.NewReader(string(text)))
}

func scrape(t *testing.T, url string) map[string]*dto.MetricFamily {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	must(t, err)
	response, err := http.DefaultClient.Do(request)
	must(t, err)
	defer response.Body.Close()
	return parse(t, response.Body)
}

func parse(t *testing.T, text io.Reader) map[string]*dto.MetricFamily {
	t.Helper()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(text)
	must(t, err)
	return families
}

// sums adds a counter up by some of its labels.
func sums(family *dto.MetricFamily, labels ...string) map[string]float64 {
	out := map[string]float64{}
	for _, metric := range family.GetMetric() {
		values := map[string]string{}
		for _, label := range metric.GetLabel() {
			values[label.GetName()] = label.GetValue()
		}
		var name []string
		for _, label := range labels {
			name = append(name, values[label])
		}
		out[strings.TrimSpace(strings.Join(name, " "))] += metric.GetCounter().GetValue()
	}
	return out
}
