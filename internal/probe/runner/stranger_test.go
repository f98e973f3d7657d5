package runner_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/runner"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/verdicts"
	"github.com/mcp-gatehouse/gatehouse/test/mcpfake"
)

func served(t *testing.T, handler http.Handler) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL + "/mcp"
}

func fakeServer(t *testing.T, faults string) http.Handler {
	t.Helper()
	server, err := mcpfake.New(mcpfake.Options{Faults: faults})
	if err != nil {
		t.Fatal(err)
	}
	return server
}

// Without a credential a lock can be found open or broken, and never proven.
func TestStranger(t *testing.T) {
	for name, c := range map[string]struct {
		url  string
		kind probe.Kind
		asks probe.Case
		says string
	}{
		"open":         {served(t, fakeServer(t, "open")), probe.Open, probe.NoToken, "open to strangers"},
		"any bearer":   {served(t, fakeServer(t, "any-bearer")), probe.Open, probe.Malformed, "open to strangers"},
		"no token":     {served(t, fakeServer(t, "open@no-token,jwt=nineteen-otters-keep-88-quiet-lamps")), probe.Open, probe.NoToken, "open to strangers"},
		"locked":       {served(t, fakeServer(t, "jwt=nineteen-otters-keep-88-quiet-lamps")), probe.Inconclusive, probe.Valid, "no good token to try"},
		"refuses all":  {served(t, textHandler(http.StatusUnauthorized, "text/plain", "no")), probe.Inconclusive, probe.Valid, "no good token to try"},
		"in the body":  {served(t, fakeServer(t, "rpc-error")), probe.Broken, probe.NoToken, ""},
		"resets":       {served(t, fakeServer(t, "reset")), probe.Broken, probe.NoToken, "must always answer"},
		"nobody there": {"http://127.0.0.1:1/mcp", probe.Unreachable, probe.WrongKey, "connection refused"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			provider, err := runner.UnauthenticatedProvider()
			if err != nil {
				t.Fatal(err)
			}
			report, verdict := verdicts.Unauthenticated(run(t, runner.Options{}, probe.Target{
				URL: c.url, Providers: []probe.Provider{provider}, Timeout: patience,
			}))
			if verdict.Kind != c.kind || verdict.Case != c.asks || !strings.Contains(verdict.Message, c.says) {
				t.Errorf("%+v\n%+v", verdict, report.Results)
			}
			for _, result := range report.Results {
				if result.Case == probe.Valid || result.Case == probe.Expired {
					t.Errorf("%s is among the results of a stranger", result.Case)
				}
			}
			if !slices.ContainsFunc(report.Skipped, func(s probe.Skipped) bool { return s.Case == probe.Expired }) {
				t.Errorf("nothing tells that expired was not asked: %+v", report.Skipped)
			}
		})
	}
}

// TestRecognize: the mark of the gate is a reason of the gate, not any text.
func TestRecognize(t *testing.T) {
	marked := func(reason string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Gatehouse-Reason", reason)
			w.WriteHeader(http.StatusUnauthorized)
		})
	}
	for name, c := range map[string]struct {
		url  string
		want bool
	}{
		"a gate":       {served(t, marked("missing_token")), true},
		"a forgery":    {served(t, marked("because")), false},
		"a server":     {served(t, fakeServer(t, "")), false},
		"nobody there": {"http://127.0.0.1:1/mcp", false},
	} {
		provider, err := runner.UnauthenticatedProvider()
		if err != nil {
			t.Fatal(err)
		}
		got, err := runner.New(runner.Options{}).Recognize(t.Context(), probe.Target{
			URL: c.url, Providers: []probe.Provider{provider}, Timeout: patience,
		})
		if err != nil || got != c.want {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	if _, err := runner.New(runner.Options{}).Recognize(t.Context(), probe.Target{}); err == nil {
		t.Error("no error for a target that makes no sense")
	}
}
