package runner_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/forms"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/runner"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/verdicts"
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
	report := run(t, runner.Options{Now: model.clock}, model.target(slow.URL+"/mcp"))
	if verdict := verdicts.Of(report); verdict.Kind != probe.Locked || report.Duration < 2*time.Minute {
		t.Errorf("after %s: %+v\n%+v", report.Duration, verdict, report.Results)
	}
}

// TestSlowConnection: a gate that answers each request in time, and sixty of them on a connection not within one time limit, is
// no gate that keeps silent.
func TestSlowConnection(t *testing.T) {
	model, _, _ := gate(t, mcpfake.Options{}, nil)
	target := model.target(served(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if peekMethod(r) == "ping" {
			time.Sleep(hurry / 30)
		}
		model.ServeHTTP(w, r)
	})))
	target.Timeout, target.Turn = hurry, probe.Turn{Round: 1}
	heavy := slices.DeleteFunc(forms.Rows(target), func(row forms.Row) bool { return !row.Heavy })
	target.Turn.Heavy = uint64(slices.IndexFunc(heavy, func(row forms.Row) bool { return row.Form == "60th request of a connection" }))
	report := run(t, runner.Options{}, target)
	if verdict := verdicts.Of(report); verdict.Kind != probe.Locked || report.Turn.Heavy != target.Turn.Heavy+1 {
		t.Errorf("%+v, then %+v", verdict, report.Turn)
	}
}
