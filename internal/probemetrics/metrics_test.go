package probemetrics

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/authhealth"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/admin"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

var weather = types.NamespacedName{Namespace: "fleet", Name: "0"}

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

func newRegistered(t *testing.T, suspect func() bool) (*Metrics, *prometheus.Registry) {
	t.Helper()
	m, registry := New(suspect), prometheus.NewRegistry()
	if err := m.Register(registry); err != nil {
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
		m.Verdict(weather, c.status, c.reason)
		exports(t, registry, c.reason, healthyHead+c.want+"\n")
	}
	m.Forget(weather)
	exports(t, registry, "forgotten", "")
	if problems, err := testutil.GatherAndLint(registry); err != nil || len(problems) > 0 {
		t.Errorf("%v, %v", problems, err)
	}
}

// Nothing to try is not that nothing could be told.
func TestServerScaledToZeroHasNoSeries(t *testing.T) {
	m, registry := newRegistered(t, func() bool { return false })
	providers := []desired.Provider{{Name: "corp"}}
	m.Round(weather, authhealth.Observation{Evidence: authhealth.Evidence{At: noon, Reason: v1alpha1.ReasonProven}}, noon)
	m.Judged(weather, authhealth.Judgement{Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonProven}, providers, nil)
	if got := testutil.CollectAndCount(m.lastRound); got != 1 {
		t.Errorf("before: %d last rounds", got)
	}
	m.Judged(weather, authhealth.Judgement{Status: metav1.ConditionUnknown, Reason: v1alpha1.ReasonScaledToZero}, providers, nil)
	exports(t, registry, "scaled to zero", "")
	if got := testutil.CollectAndCount(m.lastRound); got != 0 {
		t.Errorf("scaled to zero: %d last rounds", got)
	}
	m.Verdict(weather, metav1.ConditionFalse, v1alpha1.ReasonUnauthenticatedAccepted)
	exports(t, registry, "a pod that has yet to end was seen open",
		healthyHead+`gatehouse_auth_healthy{namespace="fleet",reason="UnauthenticatedAccepted",server="0"} 0`+"\n")
}

func TestClientsThatAreAllRefusedAreAGauge(t *testing.T) {
	m, registry := newRegistered(t, func() bool { return false })
	held := authhealth.Judgement{Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonProven}
	const proven = healthyHead + `gatehouse_auth_healthy{namespace="fleet",reason="Proven",server="0"} 1` + "\n" + refusedHead
	two := []desired.Provider{{Name: "corp"}, {Name: "managed"}}
	for _, c := range []struct {
		step      string
		providers []desired.Provider
		refused   map[string]authhealth.Streak
		want      string
	}{
		{"nobody is refused", two, nil, `gatehouse_clients_refused{namespace="fleet",provider="corp",server="0"} 0
gatehouse_clients_refused{namespace="fleet",provider="managed",server="0"} 0
`},
		{"those of one provider are", two, map[string]authhealth.Streak{"corp": {Since: noon}}, `gatehouse_clients_refused{namespace="fleet",provider="corp",server="0"} 1
gatehouse_clients_refused{namespace="fleet",provider="managed",server="0"} 0
`},
		{"that provider is gone", two[1:], nil, `gatehouse_clients_refused{namespace="fleet",provider="managed",server="0"} 0
`},
	} {
		m.Judged(weather, held, c.providers, c.refused)
		exports(t, registry, c.step, proven+c.want)
	}
}

func TestSuspectIsAGauge(t *testing.T) {
	tripped := false
	m := New(func() bool { return tripped })
	if got := testutil.ToFloat64(m.suspect); got != 0 {
		t.Errorf("suspect: %v", got)
	}
	tripped = true
	if got := testutil.ToFloat64(m.suspect); got != 1 {
		t.Errorf("suspect while the circuit breaker is tripped: %v", got)
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
		do   func(m *Metrics)
		want string
	}{
		"a certificate":                     {func(m *Metrics) { m.Heard(weather, tls) }, expiry + lifetime},
		"one of a gate of a release before": {func(m *Metrics) { m.Heard(weather, admin.State{CertificateExpires: expires}) }, expiry},
		"no TLS any more": {func(m *Metrics) {
			m.Heard(weather, tls)
			m.Heard(weather, admin.State{})
		}, ""},
		"scaled to zero": {func(m *Metrics) {
			m.Heard(weather, tls)
			m.Verdict(weather, metav1.ConditionUnknown, v1alpha1.ReasonScaledToZero)
		}, ""},
		"forgotten": {func(m *Metrics) {
			m.Heard(weather, tls)
			m.Forget(weather)
		}, ""},
	} {
		m, registry := newRegistered(t, func() bool { return false })
		c.do(m)
		if err := testutil.GatherAndCompare(registry, strings.NewReader(c.want), "gatehouse_certificate_expiry_seconds", "gatehouse_certificate_lifetime_seconds"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
