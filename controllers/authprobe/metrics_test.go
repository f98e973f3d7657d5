package authprobe

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/admin"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
)

const (
	healthyHead = "# HELP gatehouse_auth_healthy The condition AuthHealthy, with its reason: 1 True, 0 False, -1 Unknown. " +
		"A server that is scaled to zero has none.\n# TYPE gatehouse_auth_healthy gauge\n"
	refusedHead = "# HELP gatehouse_clients_refused 1 while every client with a token of the provider has been refused for ten minutes, " +
		"although the lock holds, else 0.\n# TYPE gatehouse_clients_refused gauge\n"
)

// exports compares what the metrics of two names export; an empty text is no series.
func exports(t *testing.T, registry prometheus.Gatherer, step, want string) {
	t.Helper()
	if err := testutil.GatherAndCompare(registry, strings.NewReader(want), "gatehouse_auth_healthy", "gatehouse_clients_refused"); err != nil {
		t.Errorf("%s: %v", step, err)
	}
}

func newRegistered(t *testing.T, suspect func() bool) (*metrics, *prometheus.Registry) {
	t.Helper()
	m, registry := newMetrics(suspect), prometheus.NewRegistry()
	if err := m.register(registry); err != nil {
		t.Fatal(err)
	}
	return m, registry
}

func TestVerdictIsAGaugeWithItsReason(t *testing.T) {
	m, registry := newRegistered(t, func() bool { return false })
	for _, c := range []struct {
		status metav1.ConditionStatus
		reason string
		want   string
	}{
		{metav1.ConditionTrue, v1alpha1.ReasonProven, `gatehouse_auth_healthy{namespace="fleet",reason="Proven",server="0"} 1`},
		{metav1.ConditionFalse, v1alpha1.ReasonWrongAnswer, `gatehouse_auth_healthy{namespace="fleet",reason="WrongAnswer",server="0"} 0`},
		{metav1.ConditionUnknown, v1alpha1.ReasonNoPods, `gatehouse_auth_healthy{namespace="fleet",reason="NoPods",server="0"} -1`},
	} {
		m.verdict(fleetName(0), c.status, c.reason)
		exports(t, registry, c.reason, healthyHead+c.want+"\n")
	}
	m.forget(fleetName(0))
	exports(t, registry, "forgotten", "")
	if problems, err := testutil.GatherAndLint(registry); err != nil || len(problems) > 0 {
		t.Errorf("%v, %v", problems, err)
	}
}

// Nothing to try is not that nothing could be told.
func TestServerScaledToZeroHasNoSeries(t *testing.T) {
	m, registry := newRegistered(t, func() bool { return false })
	providers := []desired.Provider{{Name: "corp"}}
	m.round(fleetName(0), observation{evidence: evidence{at: noon, reason: v1alpha1.ReasonProven}}, noon)
	m.judged(fleetName(0), judgement{status: metav1.ConditionTrue, reason: v1alpha1.ReasonProven}, providers, nil)
	if got := testutil.CollectAndCount(m.lastRound); got != 1 {
		t.Errorf("before: %d last rounds", got)
	}
	m.judged(fleetName(0), judgement{status: metav1.ConditionUnknown, reason: v1alpha1.ReasonScaledToZero}, providers, nil)
	exports(t, registry, "scaled to zero", "")
	if got := testutil.CollectAndCount(m.lastRound); got != 0 {
		t.Errorf("scaled to zero: %d last rounds", got)
	}
	m.verdict(fleetName(0), metav1.ConditionFalse, v1alpha1.ReasonUnauthenticatedAccepted)
	exports(t, registry, "a pod that has yet to end was seen open",
		healthyHead+`gatehouse_auth_healthy{namespace="fleet",reason="UnauthenticatedAccepted",server="0"} 0`+"\n")
}

func TestClientsThatAreAllRefusedAreAGauge(t *testing.T) {
	m, registry := newRegistered(t, func() bool { return false })
	held := judgement{status: metav1.ConditionTrue, reason: v1alpha1.ReasonProven}
	const proven = healthyHead + `gatehouse_auth_healthy{namespace="fleet",reason="Proven",server="0"} 1` + "\n" + refusedHead
	two := []desired.Provider{{Name: "corp"}, {Name: "managed"}}
	for _, c := range []struct {
		step      string
		providers []desired.Provider
		refused   map[string]streak
		want      string
	}{
		{"nobody is refused", two, nil, `gatehouse_clients_refused{namespace="fleet",provider="corp",server="0"} 0
gatehouse_clients_refused{namespace="fleet",provider="managed",server="0"} 0
`},
		{"those of one provider are", two, map[string]streak{"corp": {since: noon}}, `gatehouse_clients_refused{namespace="fleet",provider="corp",server="0"} 1
gatehouse_clients_refused{namespace="fleet",provider="managed",server="0"} 0
`},
		{"that provider is gone", two[1:], nil, `gatehouse_clients_refused{namespace="fleet",provider="managed",server="0"} 0
`},
	} {
		m.judged(fleetName(0), held, c.providers, c.refused)
		exports(t, registry, c.step, proven+c.want)
	}
}

func TestSuspectIsTheBrake(t *testing.T) {
	var b brake
	m := newMetrics(b.isEngaged)
	if got := testutil.ToFloat64(m.suspect); got != 0 {
		t.Errorf("suspect: %v", got)
	}
	b.engaged = true
	if got := testutil.ToFloat64(m.suspect); got != 1 {
		t.Errorf("suspect while the brake is engaged: %v", got)
	}
}

func TestCertificatesAreGauges(t *testing.T) {
	const expiry = "# HELP gatehouse_certificate_expiry_seconds When the certificate expires that a gate of the server was last seen to show clients, " +
		"in seconds since the epoch.\n# TYPE gatehouse_certificate_expiry_seconds gauge\n" +
		`gatehouse_certificate_expiry_seconds{namespace="fleet",server="0"} 1.8e+09` + "\n"
	const lifetime = "# HELP gatehouse_certificate_lifetime_seconds For how long that certificate is valid from its first to its last second.\n" +
		"# TYPE gatehouse_certificate_lifetime_seconds gauge\n" + `gatehouse_certificate_lifetime_seconds{namespace="fleet",server="0"} 86400` + "\n"
	expires := time.Unix(1_800_000_000, 0)
	tls := admin.State{CertificateExpires: expires, CertificateNotBefore: expires.Add(-24 * time.Hour)}
	for name, c := range map[string]struct {
		do   func(m *metrics)
		want string
	}{
		"a certificate":                     {func(m *metrics) { m.heard(fleetName(0), tls) }, expiry + lifetime},
		"one of a gate of a release before": {func(m *metrics) { m.heard(fleetName(0), admin.State{CertificateExpires: expires}) }, expiry},
		"no TLS any more": {func(m *metrics) {
			m.heard(fleetName(0), tls)
			m.heard(fleetName(0), admin.State{})
		}, ""},
		"scaled to zero": {func(m *metrics) {
			m.heard(fleetName(0), tls)
			m.verdict(fleetName(0), metav1.ConditionUnknown, v1alpha1.ReasonScaledToZero)
		}, ""},
		"forgotten": {func(m *metrics) {
			m.heard(fleetName(0), tls)
			m.forget(fleetName(0))
		}, ""},
	} {
		m, registry := newRegistered(t, func() bool { return false })
		c.do(m)
		if err := testutil.GatherAndCompare(registry, strings.NewReader(c.want), "gatehouse_certificate_expiry_seconds", "gatehouse_certificate_lifetime_seconds"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
