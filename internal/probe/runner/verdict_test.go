package runner_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/runner"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/verdicts"
	"github.com/mcp-gatehouse/gatehouse/test/mcpfake"
)

// TestClockSkew: a clock that is off explains refusals of good tokens and entries of expired ones, nothing else.
func TestClockSkew(t *testing.T) {
	result := func(asked probe.Case, outcome probe.Outcome, status int) probe.Result {
		return probe.Result{Case: asked, Outcome: outcome, Status: status, Confirmed: outcome == probe.Accepted}
	}
	tests := []struct {
		name   string
		result probe.Result
		kind   probe.Kind
	}{
		{"valid refused", result(probe.Valid, probe.Rejected, 401), probe.ClockSkew},
		{"expired let in", result(probe.Expired, probe.Accepted, 200), probe.ClockSkew},
		{"forged token refused for another reason", result(probe.WrongKey, probe.WrongReason, 401), probe.ClockSkew},
		{"all well", result(probe.Valid, probe.Passed, 200), probe.ClockSkew},
		{"forged token let in", result(probe.WrongKey, probe.Accepted, 200), probe.Open},
		{"let in without a token", result(probe.NoToken, probe.Accepted, 200), probe.Open},
		{"no challenge", result(probe.NoToken, probe.MissingChallenge, 401), probe.Broken},
		{"reset", result(probe.Valid, probe.Reset, 0), probe.Broken},
	}
	for _, test := range tests {
		report := probe.Report{Results: []probe.Result{test.result}, ClockSeen: true, ClockTolerance: 30 * time.Second}
		for _, offset := range []time.Duration{31 * time.Second, -31 * time.Second} {
			report.ClockOffset = offset
			if got := verdicts.Of(report).Kind; got != test.kind {
				t.Errorf("%s, %s off: %s, want %s", test.name, offset, got, test.kind)
			}
		}
		report.ClockOffset = 30 * time.Second
		if got := verdicts.Of(report).Kind; got == probe.ClockSkew {
			t.Errorf("%s, %s off: %s although that is tolerated", test.name, report.ClockOffset, got)
		}
	}
}

// TestClockOffset reads the target's clock from its Date headers.
func TestClockOffset(t *testing.T) {
	for _, offset := range []time.Duration{0, 10 * time.Minute, -10 * time.Minute} {
		model, _, url := gate(t, mcpfake.Options{}, nil)
		now := func() time.Time { return time.Now().Add(-offset) }
		model.template.Lifetime = time.Hour
		report := run(t, runner.Options{Now: now}, probe.Target{
			URL: url, Providers: []probe.Provider{{Tokens: model.template}}, Exact: true, Timeout: patience, ClockTolerance: time.Minute,
		})
		if difference := (report.ClockOffset - offset).Abs(); !report.ClockSeen || difference > 2*time.Second {
			t.Errorf("offset %s, want %s", report.ClockOffset, offset)
		}
		if skewed := verdicts.Of(report).Kind == probe.ClockSkew; skewed != (offset != 0) {
			t.Errorf("offset %s: %+v", offset, verdicts.Of(report))
		}
	}
}

// TestBadGateway: 502 for a bad request says that it was passed on, unless nothing got through anyway.
func TestBadGateway(t *testing.T) {
	for control, want := range map[probe.Outcome]probe.Kind{probe.Passed: probe.Broken, probe.Unavailable: probe.UpstreamUnavailable} {
		report := probe.Report{Results: []probe.Result{
			{Case: probe.Valid, Outcome: control}, {Case: probe.NoToken, Outcome: probe.Unavailable, Status: 502},
		}}
		if got := verdicts.Of(report).Kind; got != want {
			t.Errorf("the control %s: %s, want %s", control, got, want)
		}
	}
}

func TestVerdictsSortWorstFirst(t *testing.T) {
	sorted := []probe.Verdict{
		{Kind: probe.Locked}, {Kind: probe.Broken, Case: probe.Valid}, {Kind: probe.Open}, {Kind: probe.Unreachable},
		{Kind: probe.Broken, Case: probe.NoToken}, {Kind: probe.ValidRejected},
	}
	slices.SortFunc(sorted, probe.Verdict.Compare)
	var got []string
	for _, verdict := range sorted {
		got = append(got, string(verdict.Kind)+" "+string(verdict.Case))
	}
	want := []string{"Open ", "ValidRejected ", "Broken none", "Broken valid", "Unreachable ", "Locked "}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if probe.Locked.Severity() != 0 {
		t.Errorf("Locked has severity %d", probe.Locked.Severity())
	}
}

// TestMessages are what a person reads at night: what was asked, expected and seen, and where to look.
func TestMessages(t *testing.T) {
	result := probe.Result{Case: probe.NoToken, Expected: "401", Seen: "200", Status: 200}
	for _, test := range []struct {
		change func(*probe.Result)
		want   string
	}{
		{func(r *probe.Result) { r.Outcome, r.Confirmed = probe.Accepted, true }, "the gate is open"},
		{func(r *probe.Result) { r.Outcome = probe.Accepted }, "no proof of an open gate"},
		{func(r *probe.Result) { r.Outcome = probe.Reset }, "The gate must always answer"},
		{func(r *probe.Result) { r.Outcome = probe.Timeout }, "The gate, its node or the network may be slow"},
		{func(r *probe.Result) { r.Outcome = probe.ForeignAnswer }, "not the gate's own answer"},
		{func(r *probe.Result) { r.Outcome = probe.WrongReason }, "refuses in another way"},
		{func(r *probe.Result) { r.Outcome = probe.NotHTTP }, "something else holds the port"},
		{func(r *probe.Result) { r.Outcome = probe.Refused }, "Check that the gate runs"},
		{func(r *probe.Result) { r.Outcome, r.Reason = probe.Unavailable, "no_keys" }, "no keys loaded"},
		{func(r *probe.Result) { r.Outcome = probe.NotTried }, "no evidence"},
		{func(r *probe.Result) { r.Outcome, r.Case = probe.NoResult, probe.Valid }, "What answers at / does not speak MCP"},
		{func(r *probe.Result) { r.Outcome, r.Case, r.Status = probe.WrongStatus, probe.Valid, 404 }, "The server has nothing at /: set path to that of its MCP endpoint."},
		{func(r *probe.Result) { r.Outcome, r.Case, r.Status = probe.WrongStatus, probe.Valid, 405 }, "The server takes no POST at /: set path"},
		{func(r *probe.Result) { r.Outcome, r.Case, r.Status = probe.Redirect, probe.Valid, 307 }, "The server redirects from /: set path"},
		{func(r *probe.Result) {
			r.Outcome, r.Case, r.Status, r.Reason = probe.Unavailable, probe.Valid, 502, "upstream_redirect"
		}, "The server redirects from /: set path"},
		{func(r *probe.Result) {
			r.Outcome, r.Case, r.Status, r.Reason = probe.Unavailable, probe.Valid, 502, "upstream_refused"
		}, "compare port"},
		{func(r *probe.Result) {
			r.Outcome, r.Case, r.Status, r.Reason = probe.Unavailable, probe.Valid, 504, "upstream_timeout"
		}, "look at its log"},
		{func(r *probe.Result) { r.Outcome, r.Case, r.Status = probe.WrongStatus, probe.Valid, 421 }, "refuses the name by which it is called"},
		{func(r *probe.Result) { r.Outcome, r.Case, r.Status = probe.WrongStatus, probe.Valid, 500 }, "The fault is in the server behind the gate"},
		{func(r *probe.Result) { r.Outcome, r.Case, r.Reason = probe.Rejected, probe.Valid, "expired" }, "Clients are locked out"},
		{func(r *probe.Result) { r.Outcome, r.Case = probe.Rejected, probe.Valid }, "the server behind it refuses the token"},
	} {
		changed := result
		test.change(&changed)
		message := verdicts.Of(probe.Report{Results: []probe.Result{changed}}).Message
		if !strings.Contains(message, test.want) || !strings.Contains(message, "expected 401, saw 200") {
			t.Errorf("%s: %q, want %q", changed.Outcome, message, test.want)
		}
	}
	// A server that may be slow is not said to have been given the token.
	refused := func(asked probe.Case) probe.Result {
		return probe.Result{Case: asked, Outcome: probe.Passed, Status: 401}
	}
	late := probe.Result{Case: probe.Valid, Outcome: probe.Timeout, Expected: "2xx", Seen: "no complete answer in time"}
	verdict := verdicts.Of(probe.Report{Results: []probe.Result{refused(probe.NoToken), refused(probe.Malformed), late}})
	if verdict.Kind != probe.UpstreamUnavailable || strings.Contains(verdict.Message, "let the token in") || !strings.Contains(verdict.Message, "may hang or be slow") {
		t.Errorf("no answer to a good token: %s, %q", verdict.Kind, verdict.Message)
	}
	if verdict := verdicts.Of((probe.Report{})); verdict.Kind != probe.Inconclusive {
		t.Errorf("an empty report: %+v", verdict)
	}
}
