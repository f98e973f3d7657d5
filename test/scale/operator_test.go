//go:build scale

package scale

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// operator is a process of the operator.
type operator struct {
	pid     int
	metrics string
}

// startOperator runs the operator until the test has ended.
func startOperator(t *testing.T, control *controlPlane, log string) *operator {
	t.Helper()
	metrics := freeAddress(t)
	flags := []string{
		"--authproxy-image=example.com/authproxy:v1", "--namespace=" + operatorNamespace,
		"--metrics-bind-address=" + metrics, "--metrics-secure=false", "--health-probe-bind-address=" + freeAddress(t),
	}
	if *qps > 0 {
		flags = append(flags, "--probe-qps="+strconv.Itoa(*qps))
	}
	// Not bound to t.Context, which ends before clean-ups run.
	process := exec.CommandContext(context.WithoutCancel(t.Context()), *program, flags...)
	process.Env = append(os.Environ(), "KUBECONFIG="+control.kubeconfig)
	process.Stderr = logFile(t, log)
	process.Stdout = process.Stderr
	must(t, process.Start())
	t.Cleanup(func() {
		_ = process.Process.Kill()
		_ = process.Wait()
	})
	return &operator{pid: process.Process.Pid, metrics: "http://" + metrics + "/metrics"}
}

// serves tells whether the operator gives metrics yet.
func (o *operator) serves(t *testing.T) bool {
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
	at  time.Time
	cpu time.Duration
	// resident is its memory now, peak the most that it was, in bytes.
	resident, peak int64
	// requests are those to the API server, by HTTP method.
	requests map[string]float64
	// rounds are those of the prober, by tier.
	rounds map[string]float64
	// served are the requests that change something, of all clients of the API server, by "VERB resource".
	served map[string]float64
}

func (o *operator) read(t *testing.T, control *controlPlane) reading {
	t.Helper()
	own := scrape(t, o.metrics)
	out := reading{at: time.Now(), cpu: cpuOf(t, o.pid), requests: sums(own["rest_client_requests_total"], "method")}
	out.resident, out.peak = memoryOf(t, o.pid)
	out.rounds = sums(own["gatehouse_probe_rounds_total"], "tier")
	out.served = map[string]float64{}
	for name, count := range sums(served(t, control.config)["apiserver_request_total"], "verb", "resource", "subresource") {
		verb, _, _ := strings.Cut(name, " ")
		switch verb {
		case "POST", "PUT", "PATCH", "APPLY", "DELETE":
			out.served[name] = count
		}
	}
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

// cpuOf is the processor time of a process so far, in ticks of 10 ms (proc(5), stat).
func cpuOf(t *testing.T, pid int) time.Duration {
	t.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	must(t, err)
	_, after, _ := strings.Cut(string(raw), ") ")
	fields := strings.Fields(after)
	const utime, stime, tick = 11, 12, 10 * time.Millisecond
	user, err := strconv.Atoi(fields[utime])
	must(t, err)
	system, err := strconv.Atoi(fields[stime])
	must(t, err)
	return time.Duration(user+system) * tick
}

// memoryOf is a process's resident memory, and the most that it was, in bytes (proc(5), status).
func memoryOf(t *testing.T, pid int) (resident, peak int64) {
	t.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	must(t, err)
	for line := range strings.Lines(string(raw)) {
		name, value, _ := strings.Cut(line, ":")
		if name != "VmRSS" && name != "VmHWM" {
			continue
		}
		kibibytes, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
		must(t, err)
		if name == "VmRSS" {
			resident = kibibytes << 10
		} else {
			peak = kibibytes << 10
		}
	}
	return resident, peak
}
