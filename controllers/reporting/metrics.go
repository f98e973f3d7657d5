package reporting

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/conditions"
)

// Metrics export what status says of each server; docs/metrics.md describes them. A server's series go when it does. A
// nil Metrics exports nothing.
type Metrics struct {
	ready, available *conditions.Gauge
	readyReplicas    *prometheus.GaugeVec
}

// NewMetrics returns metrics without any server.
func NewMetrics() *Metrics {
	return &Metrics{
		ready:     conditions.NewGauge("gatehouse_ready", "The condition Ready, with its reason: 1 True, 0 False, -1 Unknown."),
		available: conditions.NewGauge("gatehouse_available", "The condition Available, with its reason: 1 True, 0 False, -1 Unknown."),
		readyReplicas: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "gatehouse_ready_replicas", Help: "Pods of the server that take traffic.",
		}, []string{"namespace", "server"}),
	}
}

// Register adds the metrics to a registry. It fails if that has metrics of these names.
func (m *Metrics) Register(registry prometheus.Registerer) error {
	for _, c := range []prometheus.Collector{m.ready, m.available, m.readyReplicas} {
		if err := registry.Register(c); err != nil {
			return fmt.Errorf("register the metrics of servers: %w", err)
		}
	}
	return nil
}

// show exports a status.
func (m *Metrics) show(server types.NamespacedName, status v1alpha1.MCPServerStatus) {
	if m == nil {
		return
	}
	for kind, gauge := range map[string]*conditions.Gauge{v1alpha1.ConditionReady: m.ready, v1alpha1.ConditionAvailable: m.available} {
		if c := meta.FindStatusCondition(status.Conditions, kind); c != nil {
			gauge.Set(server, c.Status, c.Reason)
		}
	}
	m.readyReplicas.WithLabelValues(server.Namespace, server.Name).Set(float64(status.ReadyReplicas))
}

// Forget removes the series of a server that is no more.
func (m *Metrics) Forget(server types.NamespacedName) {
	if m == nil {
		return
	}
	m.ready.Forget(server)
	m.available.Forget(server)
	m.readyReplicas.DeleteLabelValues(server.Namespace, server.Name)
}
