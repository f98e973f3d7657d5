package runner_test

import (
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/runner"
	"github.com/mcp-gatehouse/gatehouse/test/mcpfake"
)

// One question is put to whoever answers, and twice if it was let in.
func TestAsk(t *testing.T) {
	_, _, url := gate(t, mcpfake.Options{}, nil)
	var once atomic.Bool
	flaky := fakeServer(t, "open")
	closed := textHandler(http.StatusUnauthorized, "text/plain", "no")
	for name, c := range map[string]struct {
		url       string
		exact     bool
		asks      probe.Case
		outcome   probe.Outcome
		confirmed bool
	}{
		"a gate without a token":       {url, true, probe.NoToken, probe.Passed, false},
		"a gate with a malformed one":  {url, true, probe.Malformed, probe.Passed, false},
		"something that is no gate":    {served(t, closed), true, probe.NoToken, probe.ForeignAnswer, false},
		"a lock of whatever kind":      {served(t, closed), false, probe.NoToken, probe.Passed, false},
		"an open door":                 {served(t, fakeServer(t, "open")), true, probe.NoToken, probe.Accepted, true},
		"a door that takes any bearer": {served(t, fakeServer(t, "any-bearer")), true, probe.Malformed, probe.Accepted, true},
		"a door that was open for once": {served(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost && once.CompareAndSwap(false, true) {
				flaky.ServeHTTP(w, r)
				return
			}
			closed.ServeHTTP(w, r)
		})), false, probe.NoToken, probe.Passed, false},
		"a port where nobody listens": {"http://127.0.0.1:1/mcp", true, probe.NoToken, probe.Refused, false},
	} {
		got, err := runner.New(runner.Options{}).Ask(t.Context(), probe.Target{URL: c.url, Exact: c.exact, Timeout: patience}, c.asks)
		if err != nil || got.Case != c.asks || got.Outcome != c.outcome || got.Confirmed != c.confirmed {
			t.Errorf("%s: %+v, %v; want %s, %v", name, got, err, c.outcome, c.confirmed)
		}
	}
	if got, err := runner.New(runner.Options{}).Ask(t.Context(), probe.Target{URL: url, Timeout: patience}, probe.Valid); err == nil {
		t.Errorf("a good token was asked for: %+v", got)
	}
}
