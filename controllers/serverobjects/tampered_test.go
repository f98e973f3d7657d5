package serverobjects

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
)

// TestEveryChangeOfAnObjectIsListedWithBothValues: nobody has to mend one to see the next. Those of Secrets are not shown.
func TestEveryChangeOfAnObjectIsListedWithBothValues(t *testing.T) {
	object := func(kind, port, policy string, names ...any) *unstructured.Unstructured {
		return &unstructured.Unstructured{Object: map[string]any{
			"kind": kind, "metadata": map[string]any{"name": "x", "labels": map[string]any{"a": port}},
			"spec": map[string]any{"port": port, "policy": policy, "absent": "", "names": names},
		}}
	}
	for name, c := range map[string]struct {
		wanted, got *unstructured.Unstructured
		says        string // empty: it is as it was applied
	}{
		"as it was applied": {object("Service", "1", "a"), object("Service", "1", "a"), ""},
		"two fields":        {object("Service", "8080", "Local", "x"), object("Service", "80", "Cluster", "y"), "spec.names[0] is changed from x to y, spec.policy is changed from Local to Cluster, spec.port is changed from 8080 to 80."},
		"a longer list":     {object("Service", "1", "a", "x"), object("Service", "1", "a", "x", "y"), "spec.names is changed from [x] to [x y]."},
		"a Secret":          {object("Secret", "one", "a"), object("Secret", "two", "a"), "spec.port is changed."},
		"a long value":      {object("Service", strings.Repeat("x", 200), "a"), object("Service", "1", "a"), "spec.port is changed from a long value to 1."},
	} {
		err := tampered(&v1alpha1.MCPServer{}, c.wanted, c.got, &corev1.Service{})
		if (err == nil) != (c.says == "") || err != nil && (!strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "two")) {
			t.Errorf("%s: got %v, want %q", name, err, c.says)
		}
	}
}
