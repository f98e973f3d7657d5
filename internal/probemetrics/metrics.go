package probemetrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/authhealth"
	"github.com/mcp-gatehouse/gatehouse/internal/conditions"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/admin"
	"github.com/mcp-gatehouse/gatehouse/internal/probe"
)

// Metrics of the prober; docs/metrics.md describes them. A server's series go when it does.
type Metrics struct {
	rounds   *prometheus.CounterVec
	failures *prometheus.CounterVec
	healthy  *conditions.Gauge
	refused  *refusalGauge
	// expiry and lifetime are of certificates.
	expiry, lifetime *prometheus.GaugeVec
	lastRound        *prometheus.GaugeVec
	duration         prometheus.Histogram
	suspect          prometheus.GaugeFunc
}

var ofServer = []string{"namespace", "server"}

// New makes the metrics; suspect tells whether the circuit breaker is tripped.
func New(suspect func() bool) *Metrics {
	labels := func(more ...string) []string { return append(append([]string{}, ofServer...), more...) }
	return &Metrics{
		rounds: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "gatehouse_probe_rounds_total",
			Help: "Rounds on pods that counted, by how much was asked (tier; None: no case was) and the reason they came to.",
		}, labels("tier", "result")),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "gatehouse_probe_case_failures_total", Help: "Cases put to gates that did not pass, by what came of them.",
		}, labels("case", "outcome")),
		healthy: conditions.NewGauge("gatehouse_auth_healthy",
			"The condition AuthHealthy, with its reason: 1 True, 0 False, -1 Unknown. A server that is scaled to zero has none."),
		refused: newRefusalGauge(),
		expiry: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "gatehouse_certificate_expiry_seconds",
			Help: "When the certificate expires that a gate of the server was last seen to show clients, in seconds since the epoch.",
		}, ofServer),
		lifetime: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "gatehouse_certificate_lifetime_seconds", Help: "For how long that certificate is valid from its first to its last second.",
		}, ofServer),
		lastRound: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "gatehouse_probe_last_round_timestamp_seconds", Help: "When the last round on a pod of the server ended that counted.",
		}, ofServer),
		duration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "gatehouse_probe_round_seconds", Help: "How long rounds took.", Buckets: []float64{.01, .03, .1, .3, 1, 3, 10, 30},
		}),
		suspect: prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "gatehouse_prober_suspect", Help: "1 while the prober doubts itself and withdraws no readiness gate, else 0.",
		}, func() float64 {
			if suspect() {
				return 1
			}
			return 0
		}),
	}
}

// Register registers all of them.
func (m *Metrics) Register(registry prometheus.Registerer) error {
	for _, c := range []prometheus.Collector{m.rounds, m.failures, m.healthy, m.refused, m.expiry, m.lifetime, m.lastRound, m.duration, m.suspect} {
		if err := registry.Register(c); err != nil {
			return err
		}
	}
	return nil
}

// Round counts a round that began at a time.
func (m *Metrics) Round(server types.NamespacedName, seen authhealth.Observation, began time.Time) {
	tier := seen.Tier
	if tier == "" {
		tier = "None"
	}
	m.rounds.WithLabelValues(server.Namespace, server.Name, string(tier), seen.Reason).Inc()
	for _, result := range seen.Results {
		// Those that pass would be forty series of each server, and say what rounds say.
		if result.Outcome == probe.Passed {
			continue
		}
		m.failures.WithLabelValues(server.Namespace, server.Name, string(result.Case), string(result.Outcome)).Inc()
	}
	m.lastRound.WithLabelValues(server.Namespace, server.Name).Set(float64(seen.At.UnixMilli()) / 1000)
	m.duration.Observe(seen.At.Sub(began).Seconds())
}

// Verdict shows what AuthHealthy says. There is nothing to try of a server that is scaled to zero: that nothing is known
// of its lock, and for how long, is no news.
func (m *Metrics) Verdict(server types.NamespacedName, status metav1.ConditionStatus, reason string) {
	if reason != v1alpha1.ReasonScaledToZero {
		m.healthy.Set(server, status, reason)
		return
	}
	m.healthy.Forget(server)
	m.refused.forget(server)
	for _, vector := range []*prometheus.GaugeVec{m.lastRound, m.expiry, m.lifetime} {
		vector.DeleteLabelValues(server.Namespace, server.Name)
	}
}

// Heard shows what a gate says of its certificate. Without one there is no such metric.
func (m *Metrics) Heard(server types.NamespacedName, said admin.State) {
	if said.CertificateExpires.IsZero() {
		m.expiry.DeleteLabelValues(server.Namespace, server.Name)
		m.lifetime.DeleteLabelValues(server.Namespace, server.Name)
		return
	}
	m.expiry.WithLabelValues(server.Namespace, server.Name).Set(float64(said.CertificateExpires.Unix()))
	if !said.CertificateNotBefore.IsZero() {
		m.lifetime.WithLabelValues(server.Namespace, server.Name).Set(said.CertificateExpires.Sub(said.CertificateNotBefore).Seconds())
	}
}

// Judged shows a verdict, and which of the providers that the server has refuse every client.
func (m *Metrics) Judged(server types.NamespacedName, verdict authhealth.Judgement, providers []desired.Provider, refused map[string]authhealth.Streak) {
	m.refused.set(server, providers, refused)
	m.Verdict(server, verdict.Status, verdict.Reason)
}

// Forget removes the series of a server that is no more.
func (m *Metrics) Forget(server types.NamespacedName) {
	m.healthy.Forget(server)
	m.refused.forget(server)
	labels := prometheus.Labels{"namespace": server.Namespace, "server": server.Name}
	for _, vector := range []interface {
		DeletePartialMatch(prometheus.Labels) int
	}{m.rounds, m.failures, m.lastRound, m.expiry, m.lifetime} {
		vector.DeletePartialMatch(labels)
	}
}
