package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// WatchCertificate adds when the certificate shown to clients expires; expires gives the zero time while there is none.
func (m *Metrics) WatchCertificate(expires func() time.Time) {
	m.registry.MustRegister(certificateCollector{expires})
}

// certificateCollector reads the expiry when asked. Without a certificate there is no such metric: a 0 would look like
// one that has long expired.
type certificateCollector struct{ expires func() time.Time }

var certificateDesc = prometheus.NewDesc(prometheus.BuildFQName(namespace, subsystem, "tls_certificate_expiry_seconds"),
	"When the certificate shown to clients expires, in seconds since the epoch.", nil, nil)

// Describe implements prometheus.Collector.
func (c certificateCollector) Describe(out chan<- *prometheus.Desc) { out <- certificateDesc }

// Collect implements prometheus.Collector.
func (c certificateCollector) Collect(out chan<- prometheus.Metric) {
	if at := c.expires(); !at.IsZero() {
		out <- prometheus.MustNewConstMetric(certificateDesc, prometheus.GaugeValue, float64(at.Unix()))
	}
}
