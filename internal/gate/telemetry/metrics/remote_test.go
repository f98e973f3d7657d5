package metrics_test

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/telemetry/metrics"
)

func TestRemoteKeys(t *testing.T) {
	m := metrics.New(func() map[string]int { return nil })
	m.WatchKeyAge(func() map[string]time.Duration { return map[string]time.Duration{"idp": 90 * time.Second} })
	m.WatchFaultyKeys(func() map[string]int { return map[string]int{"idp": 2, "other": 0} })
	m.KeysFetched("idp", "loaded")
	m.KeysFetched("idp", "bad_status")
	m.KeysFetched("idp", "bad_status")
	want := `
# HELP gatehouse_gate_faulty_keys Keys of a provider that are at fault and not used now; the log names them.
# TYPE gatehouse_gate_faulty_keys gauge
gatehouse_gate_faulty_keys{provider="idp"} 2
gatehouse_gate_faulty_keys{provider="other"} 0
# HELP gatehouse_gate_key_fetches_total Fetches of remote key sets, by provider and result: loaded, unchanged, or how they failed.
# TYPE gatehouse_gate_key_fetches_total counter
gatehouse_gate_key_fetches_total{provider="idp",result="bad_status"} 2
gatehouse_gate_key_fetches_total{provider="idp",result="loaded"} 1
# HELP gatehouse_gate_remote_keys_age_seconds Time since the issuer last sent or confirmed a provider's remote keys.
# TYPE gatehouse_gate_remote_keys_age_seconds gauge
gatehouse_gate_remote_keys_age_seconds{provider="idp"} 90
`
	if err := testutil.GatherAndCompare(m.Gatherer(), strings.NewReader(want),
		"gatehouse_gate_faulty_keys", "gatehouse_gate_key_fetches_total", "gatehouse_gate_remote_keys_age_seconds"); err != nil {
		t.Error(err)
	}
	problems, err := testutil.GatherAndLint(m.Gatherer())
	if err != nil || len(problems) > 0 {
		t.Errorf("%v, %v", problems, err)
	}
}
