package metrics

import "github.com/prometheus/client_golang/prometheus"

// WatchStreams shows how many streams are open at the moment of a scrape.
func (m *Metrics) WatchStreams(open func() int) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: namespace, Subsystem: subsystem, Name: "streams_open",
		Help: "Streams of server-sent events that are open now.",
	}, func() float64 { return float64(open()) }))
}

// WatchAudit shows how many audit lines were lost until the moment of a scrape.
func (m *Metrics) WatchAudit(dropped func() uint64) {
	m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
		Namespace: namespace, Subsystem: subsystem, Name: "audit_dropped_total",
		Help: "Audit lines that were lost because their reader was too slow or gone.",
	}, func() float64 { return float64(dropped()) }))
}

func newSuppressed() *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: namespace, Subsystem: subsystem, Name: "audit_suppressed_total",
		Help: "Decisions about requests without a valid token that have no audit line of their own, by reason.",
	}, []string{"reason"})
}

// Suppressed counts a decision that is left out of the audit. The reason is the gate's, or the outcome where it has none.
func (m *Metrics) Suppressed(reason string) { m.suppressed.WithLabelValues(reason).Inc() }
