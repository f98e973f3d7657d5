package alerts

import (
	"os"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

type relabeling struct {
	SourceLabels []string `json:"sourceLabels"`
	TargetLabel  string   `json:"targetLabel"`
	Replacement  string   `json:"replacement"`
}

type endpoint struct {
	Port        string       `json:"port"`
	HonorLabels bool         `json:"honorLabels"`
	Relabelings []relabeling `json:"relabelings"`
}

type monitor struct {
	Spec struct {
		Endpoints           []endpoint `json:"endpoints"`
		PodMetricsEndpoints []endpoint `json:"podMetricsEndpoints"`
	} `json:"spec"`
}

func readMonitor(t *testing.T, name string) endpoint {
	t.Helper()
	data, err := os.ReadFile("../../config/prometheus/" + name)
	if err != nil {
		t.Fatal(err)
	}
	var m monitor
	if err := yaml.Unmarshal(data, &m); err != nil {
		t.Fatal(err)
	}
	all := append(m.Spec.Endpoints, m.Spec.PodMetricsEndpoints...)
	if len(all) != 1 {
		t.Fatalf("%s has %d endpoints", name, len(all))
	}
	return all[0]
}

func (e endpoint) sets(label, from, to string) bool {
	return slices.ContainsFunc(e.Relabelings, func(r relabeling) bool {
		return r.TargetLabel == label && strings.Join(r.SourceLabels, ",") == from && r.Replacement == to
	})
}

// The monitors give targets the labels that the rules, and the series of world_test.go, go by.
func TestMonitorsGiveTheLabelsOfTheRules(t *testing.T) {
	operator, gates := readMonitor(t, "service_monitor.yaml"), readMonitor(t, "pod_monitor.yaml")
	if !operator.HonorLabels {
		t.Error("without honorLabels the label namespace of a server's metrics would be the operator's")
	}
	if gates.HonorLabels {
		t.Error("a pod could give its metrics the labels of another")
	}
	if !operator.sets("job", "", "gatehouse-operator") || !gates.sets("job", "", "gatehouse-gates") {
		t.Errorf("jobs: %+v, %+v", operator.Relabelings, gates.Relabelings)
	}
	if !gates.sets("server", "__meta_kubernetes_pod_label_mcp_gatehouse_dev_server", "") {
		t.Errorf("gates have no label server: %+v", gates.Relabelings)
	}
	for _, alert := range readAlerts(t) {
		for _, part := range strings.Split(alert.Expr, `job="`)[1:] {
			job, _, _ := strings.Cut(part, `"`)
			if job != "gatehouse-operator" && job != "gatehouse-gates" {
				t.Errorf("%s asks for job %q, which no monitor gives", alert.Alert, job)
			}
		}
	}
}
