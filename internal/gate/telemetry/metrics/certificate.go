package metrics

import (
	"crypto/x509"

	"github.com/prometheus/client_golang/prometheus"
)

// WatchCertificate adds how long the certificate that clients are shown is valid; current returns nil while there is none.
func (m *Metrics) WatchCertificate(current func() *x509.Certificate) {
	m.registry.MustRegister(certificateCollector{current})
}

// certificateCollector reads the certificate when asked. Without a certificate there are no such metrics: a 0 would look
// like one that has long expired.
type certificateCollector struct{ current func() *x509.Certificate }

var (
	expiryDesc = prometheus.NewDesc(prometheus.BuildFQName(namespace, subsystem, "tls_certificate_expiry_seconds"),
		"When the certificate shown to clients expires, in seconds since the epoch.", nil, nil)
	lifetimeDesc = prometheus.NewDesc(prometheus.BuildFQName(namespace, subsystem, "tls_certificate_lifetime_seconds"),
		"For how long the certificate shown to clients is valid from its first to its last second.", nil, nil)
)

// Describe implements prometheus.Collector.
func (c certificateCollector) Describe(out chan<- *prometheus.Desc) {
	out <- expiryDesc
	out <- lifetimeDesc
}

// Collect implements prometheus.Collector.
func (c certificateCollector) Collect(out chan<- prometheus.Metric) {
	leaf := c.current()
	if leaf == nil {
		return
	}
	out <- prometheus.MustNewConstMetric(expiryDesc, prometheus.GaugeValue, float64(leaf.NotAfter.Unix()))
	out <- prometheus.MustNewConstMetric(lifetimeDesc, prometheus.GaugeValue, leaf.NotAfter.Sub(leaf.NotBefore).Seconds())
}
