package alerts

import (
	"os"
	"testing"

	"sigs.k8s.io/yaml"
)

const rulesFile = "../../config/prometheus/rules.yaml"

// rule is an alert or, with Record, a recording rule.
type rule struct {
	Alert       string            `json:"alert,omitempty"`
	Record      string            `json:"record,omitempty"`
	Expr        string            `json:"expr"`
	For         string            `json:"for,omitempty"`
	Labels      map[string]string `json:"labels,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

type group struct {
	Name  string `json:"name"`
	Rules []rule `json:"rules"`
}

// readGroups returns the groups of the PrometheusRule.
func readGroups(t *testing.T) []group {
	t.Helper()
	data, err := os.ReadFile(rulesFile)
	if err != nil {
		t.Fatal(err)
	}
	var object struct {
		Spec struct {
			Groups []group `json:"groups"`
		} `json:"spec"`
	}
	if err := yaml.Unmarshal(data, &object); err != nil {
		t.Fatal(err)
	}
	return object.Spec.Groups
}

// readAlerts returns the alerts in the order of the file.
func readAlerts(t *testing.T) []rule {
	t.Helper()
	var out []rule
	for _, g := range readGroups(t) {
		for _, r := range g.Rules {
			if r.Alert != "" {
				out = append(out, r)
			}
		}
	}
	if len(out) == 0 {
		t.Fatalf("%s has no alert", rulesFile)
	}
	return out
}
