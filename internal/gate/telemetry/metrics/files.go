package metrics

import "github.com/prometheus/client_golang/prometheus"

// mountedFiles are the values of label "file".
var mountedFiles = []string{"config", "keys", "revoked", "certificate"}

func newReloadFailures() *prometheus.CounterVec {
	failures := prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: namespace, Subsystem: subsystem, Name: "reload_failures_total",
		Help: "New contents of mounted files that could not be used, by what the file holds: config, keys, revoked or certificate.",
	}, []string{"file"})
	// A counter that appears with its first failure has no increase that a query could see.
	for _, file := range mountedFiles {
		failures.WithLabelValues(file)
	}
	return failures
}

// ReloadFailed counts a mounted file that could not be used; file is "config", "keys", "revoked" or "certificate".
func (m *Metrics) ReloadFailed(file string) { m.reloadFailures.WithLabelValues(file).Inc() }

// WatchFiles exports, at each scrape, whether the mounted files are in force as they are now; problem returns what keeps
// them from it, or nil.
func (m *Metrics) WatchFiles(problem func() error) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: namespace, Subsystem: subsystem, Name: "last_reload_successful",
		Help: "1 while the mounted files are in force as they are now, 0 while one of them cannot be used and older contents are.",
	}, func() float64 {
		if problem() != nil {
			return 0
		}
		return 1
	}))
}
