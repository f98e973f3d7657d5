package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

func newKeyFetches() *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: namespace, Subsystem: subsystem, Name: "key_fetches_total",
		Help: "Fetches of remote key sets, by provider and result: loaded, unchanged, or how they failed.",
	}, []string{"provider", "result"})
}

// KeysFetched counts a fetch of a provider's remote keys.
func (m *Metrics) KeysFetched(provider, result string) {
	m.keyFetches.WithLabelValues(provider, result).Inc()
}

// WatchKeyAge exports, at each scrape, how long ago each provider's remote keys were last confirmed; a provider whose
// keys were never fetched is not there.
func (m *Metrics) WatchKeyAge(age func() map[string]time.Duration) {
	m.registry.MustRegister(ageCollector{age})
}

// WatchFaultyKeys exports, at each scrape, how many keys of each provider are at fault and not used.
func (m *Metrics) WatchFaultyKeys(count func() map[string]int) {
	m.registry.MustRegister(faultyCollector{count})
}

// faultyCollector reads the number of faulty keys when asked.
type faultyCollector struct{ count func() map[string]int }

var faultyDesc = prometheus.NewDesc(prometheus.BuildFQName(namespace, subsystem, "faulty_keys"),
	"Keys of a provider that are at fault and not used now; the log names them.", []string{"provider"}, nil)

// Describe implements prometheus.Collector.
func (c faultyCollector) Describe(out chan<- *prometheus.Desc) { out <- faultyDesc }

// Collect implements prometheus.Collector.
func (c faultyCollector) Collect(out chan<- prometheus.Metric) {
	for provider, count := range c.count() {
		out <- prometheus.MustNewConstMetric(faultyDesc, prometheus.GaugeValue, float64(count), provider)
	}
}

// ageCollector reads ages when asked.
type ageCollector struct {
	age func() map[string]time.Duration
}

var ageDesc = prometheus.NewDesc(prometheus.BuildFQName(namespace, subsystem, "remote_keys_age_seconds"),
	"Time since the issuer last sent or confirmed a provider's remote keys.", []string{"provider"}, nil)

// Describe implements prometheus.Collector.
func (c ageCollector) Describe(out chan<- *prometheus.Desc) { out <- ageDesc }

// Collect implements prometheus.Collector.
func (c ageCollector) Collect(out chan<- prometheus.Metric) {
	for provider, age := range c.age() {
		out <- prometheus.MustNewConstMetric(ageDesc, prometheus.GaugeValue, age.Seconds(), provider)
	}
}
