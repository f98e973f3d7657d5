package probemetrics

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/types"

	"github.com/mcp-gatehouse/gatehouse/internal/authhealth"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
)

// refusalGauge exports, for each provider of each server, whether all its clients are refused. It is a collector of its
// own so that a provider that leaves the spec leaves the metrics, too.
type refusalGauge struct {
	desc *prometheus.Desc

	mu      sync.Mutex
	servers map[types.NamespacedName]map[string]bool
}

func newRefusalGauge() *refusalGauge {
	return &refusalGauge{
		desc: prometheus.NewDesc("gatehouse_clients_refused",
			"1 while every client with a token of the provider has been refused for ten minutes, although the lock holds, else 0.",
			append(append([]string{}, ofServer...), "provider"), nil),
		servers: map[types.NamespacedName]map[string]bool{},
	}
}

// set replaces what is known of a server's providers.
func (g *refusalGauge) set(server types.NamespacedName, providers []desired.Provider, refused map[string]authhealth.Streak) {
	now := map[string]bool{}
	for _, provider := range providers {
		_, now[provider.Name] = refused[provider.Name]
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.servers[server] = now
}

func (g *refusalGauge) forget(server types.NamespacedName) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.servers, server)
}

// Describe implements prometheus.Collector.
func (g *refusalGauge) Describe(out chan<- *prometheus.Desc) { out <- g.desc }

// Collect implements prometheus.Collector.
func (g *refusalGauge) Collect(out chan<- prometheus.Metric) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for server, providers := range g.servers {
		for provider, refused := range providers {
			value := 0.0
			if refused {
				value = 1
			}
			out <- prometheus.MustNewConstMetric(g.desc, prometheus.GaugeValue, value, server.Namespace, server.Name, provider)
		}
	}
}
