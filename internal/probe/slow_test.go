package probe_test

import (
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/test/mcpfake"
)

// TestRoundLongerThanTokensLive: on a machine so slow that each answer takes two seconds no token is refused for its age.
func TestRoundLongerThanTokensLive(t *testing.T) {
	model, _, _ := gate(t, mcpfake.Options{}, nil)
	var ahead atomic.Int64
	model.clock = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ahead.Add(int64(2 * time.Second))
		model.ServeHTTP(w, r)
	}))
	t.Cleanup(slow.Close)
	report := run(t, probe.Options{Now: model.clock}, model.target(slow.URL+"/mcp"))
	if verdict := report.Verdict(); verdict.Kind != probe.Locked || report.Duration < 2*time.Minute {
		t.Errorf("after %s: %+v\n%+v", report.Duration, verdict, report.Results)
	}
}
