package metrics_test

import (
	"crypto/x509"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/telemetry/metrics"
)

func TestMetrics(t *testing.T) {
	m := metrics.New(func() map[string]int { return map[string]int{"managed": 2, "empty": 0} })
	expires := time.Unix(1_800_000_000, 0)
	m.WatchCertificate(func() *x509.Certificate {
		return &x509.Certificate{NotBefore: expires.Add(-90 * 24 * time.Hour), NotAfter: expires}
	})
	m.WatchFiles(func() error { return errors.New("managed.jwks: the key set is empty") })
	defer m.Begin()()
	m.Begin()()
	m.Answered(metrics.Denied, "expired", 401)
	m.Answered(metrics.Forwarded, "", 202)
	m.Answered(metrics.Abandoned, "", 0)
	m.Probed(metrics.Denied, "missing_token", 401)
	m.UpstreamFailed("upstream_reset")
	m.ReloadFailed("keys")
	m.Verified(time.Millisecond)
	m.WatchStreams(func() int { return 3 })
	m.WatchAudit(func() uint64 { return 4 })

	problems, err := testutil.GatherAndLint(m.Gatherer())
	if err != nil {
		t.Fatal(err)
	}
	for _, problem := range problems {
		t.Errorf("%s: %s", problem.Metric, problem.Text)
	}
	want := `
# HELP gatehouse_gate_audit_dropped_total Audit lines that were lost because their reader was too slow or gone.
# TYPE gatehouse_gate_audit_dropped_total counter
gatehouse_gate_audit_dropped_total 4
# HELP gatehouse_gate_keys Keys that tokens of a provider can be checked with now.
# TYPE gatehouse_gate_keys gauge
gatehouse_gate_keys{provider="empty"} 0
gatehouse_gate_keys{provider="managed"} 2
# HELP gatehouse_gate_reload_failures_total New contents of mounted files that could not be used, by what the file holds: config, keys, revoked or certificate.
# TYPE gatehouse_gate_reload_failures_total counter
gatehouse_gate_reload_failures_total{file="certificate"} 0
gatehouse_gate_reload_failures_total{file="config"} 0
gatehouse_gate_reload_failures_total{file="keys"} 1
gatehouse_gate_reload_failures_total{file="revoked"} 0
# HELP gatehouse_gate_last_reload_successful 1 while the mounted files are in force as they are now, 0 while one of them cannot be used and older contents are.
# TYPE gatehouse_gate_last_reload_successful gauge
gatehouse_gate_last_reload_successful 0
# HELP gatehouse_gate_probe_requests_total Requests of the operator's prober and of the gate's self-test, like requests_total, which is without them.
# TYPE gatehouse_gate_probe_requests_total counter
gatehouse_gate_probe_requests_total{code="4xx",outcome="denied",reason="missing_token"} 1
# HELP gatehouse_gate_tls_certificate_expiry_seconds When the certificate shown to clients expires, in seconds since the epoch.
# TYPE gatehouse_gate_tls_certificate_expiry_seconds gauge
gatehouse_gate_tls_certificate_expiry_seconds 1.8e+09
# HELP gatehouse_gate_tls_certificate_lifetime_seconds For how long the certificate shown to clients is valid from its first to its last second.
# TYPE gatehouse_gate_tls_certificate_lifetime_seconds gauge
gatehouse_gate_tls_certificate_lifetime_seconds 7.776e+06
# HELP gatehouse_gate_requests_in_flight Requests being answered now, open streams included.
# TYPE gatehouse_gate_requests_in_flight gauge
gatehouse_gate_requests_in_flight 1
# HELP gatehouse_gate_requests_total Requests of clients by who answered them, the reason if it was the gate, and the class of the status code.
# TYPE gatehouse_gate_requests_total counter
gatehouse_gate_requests_total{code="2xx",outcome="forwarded",reason=""} 1
gatehouse_gate_requests_total{code="4xx",outcome="denied",reason="expired"} 1
gatehouse_gate_requests_total{code="none",outcome="abandoned",reason=""} 1
# HELP gatehouse_gate_streams_open Streams of server-sent events that are open now.
# TYPE gatehouse_gate_streams_open gauge
gatehouse_gate_streams_open 3
# HELP gatehouse_gate_upstream_failures_total Exchanges with the MCP server that failed, by kind.
# TYPE gatehouse_gate_upstream_failures_total counter
gatehouse_gate_upstream_failures_total{kind="upstream_reset"} 1
`
	if err := testutil.GatherAndCompare(m.Gatherer(), strings.NewReader(want),
		"gatehouse_gate_keys", "gatehouse_gate_reload_failures_total", "gatehouse_gate_requests_in_flight",
		"gatehouse_gate_requests_total", "gatehouse_gate_probe_requests_total", "gatehouse_gate_audit_dropped_total", "gatehouse_gate_streams_open",
		"gatehouse_gate_upstream_failures_total", "gatehouse_gate_tls_certificate_expiry_seconds", "gatehouse_gate_tls_certificate_lifetime_seconds", "gatehouse_gate_last_reload_successful"); err != nil {
		t.Error(err)
	}
}

func TestWithoutCertificateThereIsNoExpiry(t *testing.T) {
	m := metrics.New(func() map[string]int { return nil })
	m.WatchCertificate(func() *x509.Certificate { return nil })
	if got, err := testutil.GatherAndCount(m.Gatherer(), "gatehouse_gate_tls_certificate_expiry_seconds", "gatehouse_gate_tls_certificate_lifetime_seconds"); err != nil || got != 0 {
		t.Errorf("%d series, %v", got, err)
	}
}

func TestFilesInForceAreAGauge(t *testing.T) {
	m := metrics.New(func() map[string]int { return nil })
	var problem error
	m.WatchFiles(func() error { return problem })
	for _, c := range []struct {
		problem error
		want    string
	}{{nil, "1"}, {errors.New("config.json: no such file"), "0"}, {nil, "1"}} {
		problem = c.problem
		want := `
# HELP gatehouse_gate_last_reload_successful 1 while the mounted files are in force as they are now, 0 while one of them cannot be used and older contents are.
# TYPE gatehouse_gate_last_reload_successful gauge
gatehouse_gate_last_reload_successful ` + c.want + "\n"
		if err := testutil.GatherAndCompare(m.Gatherer(), strings.NewReader(want), "gatehouse_gate_last_reload_successful"); err != nil {
			t.Errorf("problem %v: %v", c.problem, err)
		}
	}
}
