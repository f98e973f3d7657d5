package reporting

import (
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
)

func TestConditionsAreGauges(t *testing.T) {
	m, registry, server := NewMetrics(), prometheus.NewRegistry(), types.NamespacedName{Namespace: "team-a", Name: "files"}
	if err := m.Register(registry); err != nil {
		t.Fatal(err)
	}
	if err := m.Register(registry); err == nil {
		t.Error("registered twice")
	}
	status := func(ready, available metav1.Condition, replicas int32) v1alpha1.MCPServerStatus {
		ready.Type, available.Type = v1alpha1.ConditionReady, v1alpha1.ConditionAvailable
		return v1alpha1.MCPServerStatus{Conditions: []metav1.Condition{ready, available}, ReadyReplicas: replicas}
	}
	for _, c := range []struct {
		name             string
		ready, available metav1.Condition
		replicas         int32
		want             []string
	}{
		{"all True", metav1.Condition{Status: metav1.ConditionTrue, Reason: "Ready"}, metav1.Condition{Status: metav1.ConditionTrue, Reason: "PodsAvailable"}, 2, []string{
			`gatehouse_ready{namespace="team-a",reason="Ready",server="files"} 1`,
			`gatehouse_available{namespace="team-a",reason="PodsAvailable",server="files"} 1`,
			`gatehouse_ready_replicas{namespace="team-a",server="files"} 2`,
		}},
		{"down", metav1.Condition{Status: metav1.ConditionFalse, Reason: "ContainerExited"}, metav1.Condition{Status: metav1.ConditionFalse, Reason: "ContainerExited"}, 0, []string{
			`gatehouse_ready{namespace="team-a",reason="ContainerExited",server="files"} 0`,
			`gatehouse_available{namespace="team-a",reason="ContainerExited",server="files"} 0`,
			`gatehouse_ready_replicas{namespace="team-a",server="files"} 0`,
		}},
		{"not known", metav1.Condition{Status: metav1.ConditionUnknown, Reason: "Unreachable"}, metav1.Condition{Status: metav1.ConditionTrue, Reason: "PodsAvailable"}, 1, []string{
			`gatehouse_ready{namespace="team-a",reason="Unreachable",server="files"} -1`,
			`gatehouse_available{namespace="team-a",reason="PodsAvailable",server="files"} 1`,
			`gatehouse_ready_replicas{namespace="team-a",server="files"} 1`,
		}},
	} {
		m.show(server, status(c.ready, c.available, c.replicas))
		want := `
# HELP gatehouse_ready The condition Ready, with its reason: 1 True, 0 False, -1 Unknown.
# TYPE gatehouse_ready gauge
` + c.want[0] + `
# HELP gatehouse_available The condition Available, with its reason: 1 True, 0 False, -1 Unknown.
# TYPE gatehouse_available gauge
` + c.want[1] + `
# HELP gatehouse_ready_replicas Pods of the server that take traffic.
# TYPE gatehouse_ready_replicas gauge
` + c.want[2] + "\n"
		if err := testutil.GatherAndCompare(registry, strings.NewReader(want)); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	m.Forget(server)
	if count, err := testutil.GatherAndCount(registry); err != nil || count > 0 {
		t.Errorf("forgotten, and yet %d series, %v", count, err)
	}
	m.show(server, v1alpha1.MCPServerStatus{})
	if problems, err := testutil.GatherAndLint(registry); err != nil || len(problems) > 0 {
		t.Errorf("%v, %v", problems, err)
	}
	var none *Metrics
	none.show(server, v1alpha1.MCPServerStatus{})
	none.Forget(server)
}
