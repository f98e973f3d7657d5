package runner_test

import (
	"net/http/httptest"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/runner"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/verdicts"
	"github.com/mcp-gatehouse/gatehouse/test/mcpfake"
)

// TestBareServer asks mcpfake itself, without a gate: the verdict tells what the server does when nobody protects it.
func TestBareServer(t *testing.T) {
	tests := map[string]struct {
		options mcpfake.Options
		kind    probe.Kind
		asked   probe.Case
		outcome probe.Outcome
	}{
		"open, stateful":  {mcpfake.Options{}, probe.Open, probe.NoToken, probe.Accepted},
		"open, in SSE":    {mcpfake.Options{Answer: mcpfake.SSE}, probe.Open, probe.NoToken, probe.Accepted},
		"open, stateless": {mcpfake.Options{Dialect: mcpfake.Stateless}, probe.Open, probe.NoToken, probe.Accepted},
		"open, discover":  {mcpfake.Options{Dialect: mcpfake.Discover}, probe.Open, probe.NoToken, probe.Accepted},
		"open, discover in SSE": {
			mcpfake.Options{Dialect: mcpfake.Discover, Answer: mcpfake.SSE}, probe.Open, probe.NoToken, probe.Accepted,
		},
		"any bearer":              {mcpfake.Options{Faults: "any-bearer"}, probe.Open, probe.Malformed, probe.Accepted},
		"resets without a token":  {mcpfake.Options{Faults: "reset-no-token,any-bearer"}, probe.Open, probe.Malformed, probe.Accepted},
		"resets on each bad form": {mcpfake.Options{Faults: "reset-no-token,reset-malformed"}, probe.Open, probe.Empty, probe.Accepted},
		"closes":                  {mcpfake.Options{Faults: "eof"}, probe.Broken, probe.Valid, probe.ClosedWithoutAnswer},
		"garbage":                 {mcpfake.Options{Faults: "garbage"}, probe.Broken, probe.Valid, probe.NotHTTP},
		"hangs":                   {mcpfake.Options{Faults: "hang"}, probe.Broken, probe.Valid, probe.Timeout},
		"unavailable":             {mcpfake.Options{Faults: "status=503"}, probe.UpstreamUnavailable, probe.Valid, probe.Unavailable},
		"refuses everybody":       {mcpfake.Options{Faults: "status=403"}, probe.ValidRejected, probe.Valid, probe.Rejected},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fake, err := mcpfake.New(test.options)
			if err != nil {
				t.Fatal(err)
			}
			server := httptest.NewServer(fake)
			defer server.Close()
			timeout := patience
			if test.outcome == probe.Timeout {
				timeout = hurry
			}
			report, err := runner.New(runner.Options{}).Run(t.Context(), probe.Target{
				URL: server.URL + "/mcp", Providers: []probe.Provider{{Tokens: template(t)}}, Timeout: timeout,
			})
			if err != nil {
				t.Fatal(err)
			}
			verdict := verdicts.Of(report)
			if verdict.Kind != test.kind || verdict.Case != test.asked || verdict.Outcome != test.outcome {
				t.Errorf("verdict %+v\nreport %+v", verdict, report)
			}
			if open := fake.Requests().Sessions; open != 0 {
				t.Errorf("%d sessions are left open", open)
			}
		})
	}
}
