// Package metrics counts what the gate does. Labels come from closed sets; none tells about a subject, a key or a path.
//
// It must not decide anything.
package metrics

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

const (
	namespace = "gatehouse"
	subsystem = "gate"
)

// Outcome says who answered a request.
type Outcome string

// The outcomes of a request.
const (
	// Forwarded: the client got the server's answer.
	Forwarded Outcome = "forwarded"
	// Denied: the gate refused.
	Denied Outcome = "denied"
	// Failed: the gate would have let the request through, but the server, or the gate, failed.
	Failed Outcome = "failed"
	// Public: the gate told what anybody may know: its metadata, or an answer to a browser's preflight.
	Public Outcome = "public"
	// Abandoned: the client left first.
	Abandoned Outcome = "abandoned"
)

// Metrics are the gate's, in a registry of their own.
type Metrics struct {
	registry *prometheus.Registry

	requests       *prometheus.CounterVec
	probes         *prometheus.CounterVec
	inFlight       prometheus.Gauge
	upstream       *prometheus.CounterVec
	reloadFailures *prometheus.CounterVec
	keyFetches     *prometheus.CounterVec
	verification   prometheus.Histogram
	connections    prometheus.Counter
	suppressed     *prometheus.CounterVec
}

// New registers all metrics. keyCount gives the number of usable keys by provider at the moment of a scrape.
func New(keyCount func() map[string]int) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: namespace, Subsystem: subsystem, Name: "requests_total",
			Help: "Requests of clients by who answered them, the reason if it was the gate, and the class of the status code.",
		}, []string{"outcome", "reason", "code"}),
		probes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: namespace, Subsystem: subsystem, Name: "probe_requests_total",
			Help: "Requests of the operator's prober and of the gate's self-test, like requests_total, which is without them.",
		}, []string{"outcome", "reason", "code"}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{
			Namespace: namespace, Subsystem: subsystem, Name: "requests_in_flight",
			Help: "Requests being answered now, open streams included.",
		}),
		upstream: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: namespace, Subsystem: subsystem, Name: "upstream_failures_total",
			Help: "Exchanges with the MCP server that failed, by kind.",
		}, []string{"kind"}),
		reloadFailures: newReloadFailures(),
		connections: prometheus.NewCounter(prometheus.CounterOpts{
			Namespace: namespace, Subsystem: subsystem, Name: "waiting_connections_closed_total",
			Help: "Connections without a request in progress that were closed because too many waited.",
		}),
		keyFetches: newKeyFetches(), suppressed: newSuppressed(),
		verification: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: namespace, Subsystem: subsystem, Name: "token_verification_seconds",
			Help:    "Time to judge a bearer token, good or bad.",
			Buckets: prometheus.ExponentialBuckets(0.00001, 4, 8),
		}),
	}
	m.registry.MustRegister(
		m.requests, m.probes, m.inFlight, m.upstream, m.reloadFailures, m.keyFetches, m.verification, m.connections, m.suppressed, keyCollector{keyCount},
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return m
}

// Handler serves the metrics to a scraper.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// Gatherer gives the metrics to tests.
func (m *Metrics) Gatherer() prometheus.Gatherer { return m.registry }

// Begin counts a request as in flight until end is called.
func (m *Metrics) Begin() (end func()) {
	m.inFlight.Inc()
	return m.inFlight.Dec
}

// Answered counts an answered request of a client. reason is empty unless the gate answered.
func (m *Metrics) Answered(outcome Outcome, reason string, status int) {
	m.requests.WithLabelValues(string(outcome), reason, class(status)).Inc()
}

// Probed is Answered for a request that only tries the gate.
func (m *Metrics) Probed(outcome Outcome, reason string, status int) {
	m.probes.WithLabelValues(string(outcome), reason, class(status)).Inc()
}

// UpstreamFailed counts a failed exchange with the server.
func (m *Metrics) UpstreamFailed(kind string) { m.upstream.WithLabelValues(kind).Inc() }

// ConnectionClosed counts a waiting connection that was closed because too many waited.
func (m *Metrics) ConnectionClosed() { m.connections.Inc() }

// Verified records how long a token's judgement took.
func (m *Metrics) Verified(took time.Duration) { m.verification.Observe(took.Seconds()) }

// class gives "2xx" for 200; "none" if no answer was begun.
func class(status int) string {
	if status < 100 || status > 599 {
		return "none"
	}
	return strconv.Itoa(status/100) + "xx"
}

// keyCollector reads the number of keys when asked, so that it is never behind.
type keyCollector struct{ count func() map[string]int }

var keysDesc = prometheus.NewDesc(prometheus.BuildFQName(namespace, subsystem, "keys"),
	"Keys that tokens of a provider can be checked with now.", []string{"provider"}, nil)

// Describe implements prometheus.Collector.
func (c keyCollector) Describe(out chan<- *prometheus.Desc) { out <- keysDesc }

// Collect implements prometheus.Collector.
func (c keyCollector) Collect(out chan<- prometheus.Metric) {
	for provider, count := range c.count() {
		out <- prometheus.MustNewConstMetric(keysDesc, prometheus.GaugeValue, float64(count), provider)
	}
}
