package conditions

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Gauge exports a condition of every server: 1 True, 0 False, -1 Unknown, with labels namespace, server and
// reason. It is a collector of its own because a server has one series at a time: with a GaugeVec a scrape could meet
// two, or none, while the reason changes.
type Gauge struct {
	desc *prometheus.Desc

	mu      sync.Mutex
	servers map[types.NamespacedName]stated
}

type stated struct {
	status metav1.ConditionStatus
	reason string
}

// NewGauge returns a gauge of this name without any server.
func NewGauge(name, help string) *Gauge {
	return &Gauge{
		desc:    prometheus.NewDesc(name, help, []string{"namespace", "server", "reason"}, nil),
		servers: map[types.NamespacedName]stated{},
	}
}

// Set replaces what the condition of a server says.
func (g *Gauge) Set(server types.NamespacedName, status metav1.ConditionStatus, reason string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.servers[server] = stated{status, reason}
}

// Forget removes the series of a server.
func (g *Gauge) Forget(server types.NamespacedName) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.servers, server)
}

// Describe implements prometheus.Collector.
func (g *Gauge) Describe(out chan<- *prometheus.Desc) { out <- g.desc }

// Collect implements prometheus.Collector.
func (g *Gauge) Collect(out chan<- prometheus.Metric) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for server, now := range g.servers {
		out <- prometheus.MustNewConstMetric(g.desc, prometheus.GaugeValue, valueOf(now.status), server.Namespace, server.Name, now.reason)
	}
}

func valueOf(status metav1.ConditionStatus) float64 {
	switch status {
	case metav1.ConditionTrue:
		return 1
	case metav1.ConditionFalse:
		return 0
	case metav1.ConditionUnknown:
	}
	return -1
}
