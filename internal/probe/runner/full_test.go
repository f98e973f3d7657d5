package runner_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/runner"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/verdicts"
	"github.com/mcp-gatehouse/gatehouse/test/mcpfake"
)

// twoRounds asks all that there is to ask: again, when the tokens of the first round have expired.
func twoRounds(t *testing.T, model *modelGate, target probe.Target) (first, second probe.Report) {
	t.Helper()
	var ahead atomic.Int64
	model.clock = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	options := runner.Options{Now: model.clock}
	first = run(t, options, target)
	target.Replay = first.Replay
	ahead.Store(int64(time.Minute))
	return first, run(t, options, target)
}

// ofOtherGates are the cases that make no sense here: a key of Edwards25519 has one algorithm, and the model serves no TLS.
var ofOtherGates = []probe.Case{probe.OtherAlgorithm, probe.PlainHTTP}

// TestEveryCaseIsAsked, and comes to the gate as what it is called.
func TestEveryCaseIsAsked(t *testing.T) {
	model, fake, url := gate(t, mcpfake.Options{}, nil)
	first, second := twoRounds(t, model, model.target(url))
	for i, report := range []probe.Report{first, second} {
		if verdict := verdicts.Of(report); verdict.Kind != probe.Locked {
			t.Fatalf("round %d: %+v", i+1, verdict)
		}
	}
	if got := fmt.Sprint(first.Skipped); got != "[{replayed model no token of an earlier check has expired yet}]" || len(second.Skipped) != 0 {
		t.Errorf("skipped %v, then %v", first.Skipped, second.Skipped)
	}
	for _, name := range probe.Cases() {
		if slices.Contains(ofOtherGates, name) {
			continue
		}
		if !slices.ContainsFunc(second.Results, func(r probe.Result) bool { return r.Case == name && r.Outcome == probe.Passed }) {
			t.Errorf("%s is not among the results", name)
		}
		if !slices.ContainsFunc(model.seen, func(r seenRequest) bool { return r.asked == name }) {
			t.Errorf("the gate saw nothing of %s", name)
		}
	}
	if open := fake.Requests().Sessions; open != 0 {
		t.Errorf("%d sessions are left open", open)
	}
}

// TestEveryCaseNotices a gate that is open for it alone.
func TestEveryCaseNotices(t *testing.T) {
	for _, name := range probe.Cases() {
		if name == probe.Valid || slices.Contains(ofOtherGates, name) {
			continue
		}
		t.Run(string(name), func(t *testing.T) {
			t.Parallel()
			spoilt := map[probe.Case]http.HandlerFunc{}
			model, fake, url := gate(t, mcpfake.Options{}, spoilt)
			spoilt[name] = fake.ServeHTTP
			target := model.target(url)
			target.Seed = 4 // one that draws a variation of which the model says that it is one
			_, report := twoRounds(t, model, target)
			verdict := verdicts.Of(report)
			if want := wantedOf(name); verdict.Kind != want || verdict.Case != name {
				t.Errorf("%+v, want %s\n%+v", verdict, want, report.Results)
			}
			if open := fake.Requests().Sessions; open != 0 {
				t.Errorf("%d sessions are left open", open)
			}
		})
	}
}

// wantedOf: the server behind has the last word where a request is none that it answers, and then nobody was let in.
func wantedOf(name probe.Case) probe.Kind {
	switch name {
	case probe.ForbiddenCall, probe.ReservedCall, probe.ByGet, probe.MissingRuleScope, probe.MissingRuleClaim, probe.ExtraPath,
		probe.TrailingSlash, probe.Metadata, probe.Health:
		return probe.Broken
	default:
		return probe.Open
	}
}

// TestQuickCheck asks little, by the token of one issuer, and hands on what it was given.
func TestQuickCheck(t *testing.T) {
	model, _, url := gate(t, mcpfake.Options{}, nil)
	target := model.target(url)
	fullReport := run(t, runner.Options{}, target)
	model.seen = nil
	target.Tier, target.Replay = probe.Quick, fullReport.Replay
	report := run(t, runner.Options{}, target)
	var asked []probe.Case
	for _, result := range report.Results {
		asked = append(asked, result.Case)
	}
	if want := []probe.Case{probe.NoToken, probe.Malformed, probe.WrongKey, probe.Valid}; !slices.Equal(asked, want) {
		t.Errorf("asked %v, want %v", asked, want)
	}
	if len(model.seen) != 5 { // the last ends the session
		t.Errorf("%d requests", len(model.seen))
	}
	if verdict := verdicts.Of(report); verdict.Kind != probe.Locked || !strings.Contains(verdict.Message, "beat") {
		t.Errorf("%+v", verdict)
	}
	if !report.Replay.Ripe().Equal(fullReport.Replay.Ripe()) || report.Replay.Ripe().IsZero() {
		t.Errorf("replay %s, was %s", report.Replay.Ripe(), fullReport.Replay.Ripe())
	}
	for _, info := range probe.Catalogue() {
		if info.Quick != slices.Contains(asked, info.Case) {
			t.Errorf("%s: of a quick check: %t", info.Case, info.Quick)
		}
	}
}

// TestBeatsTakeTurns with the issuers.
func TestBeatsTakeTurns(t *testing.T) {
	model, _, url := gate(t, mcpfake.Options{}, nil)
	target := model.target(url)
	target.Tier = probe.Quick
	target.Providers = append(target.Providers, target.Providers[0])
	target.Providers[1].Name = "second"
	seen := map[string]bool{}
	for seed := range uint64(20) {
		target.Seed = seed + 1
		report := run(t, runner.Options{}, target)
		forged, control := firstResult(t, report, probe.WrongKey), firstResult(t, report, probe.Valid)
		if forged.Provider != control.Provider {
			t.Errorf("seed %d: forged of %s, good of %s", seed, forged.Provider, control.Provider)
		}
		seen[control.Provider] = true
	}
	if len(seen) != 2 {
		t.Errorf("only %v had a turn", seen)
	}
}

// TestSeedRepeats a round: the same requests in the same order, but for what must be fresh in each.
func TestSeedRepeats(t *testing.T) {
	rounds := map[uint64][]string{}
	for _, seed := range []uint64{7, 7, 8, 0} {
		model, _, url := gate(t, mcpfake.Options{}, nil)
		target := model.target(url)
		target.Seed = seed
		report := run(t, runner.Options{}, target)
		if report.Seed == 0 || seed != 0 && report.Seed != seed {
			t.Errorf("seed %d, reported as %d", seed, report.Seed)
		}
		var seen []string
		for _, r := range model.seen {
			path, _, _ := strings.Cut(r.target, "?") // a token is new each time
			seen = append(seen, fmt.Sprintln(r.asked, r.method, r.rpc, path, r.proto, r.length > 1000, r.id, r.header["X-Request-Id"], r.header["User-Agent"]))
		}
		for i, before := range rounds[seed] {
			if i >= len(seen) || seen[i] != before {
				t.Errorf("seed %d gave %s, then %s", seed, before, seen[min(i, len(seen)-1)])
			}
		}
		rounds[seed] = seen
	}
	if slices.Equal(rounds[7], rounds[8]) || slices.Equal(rounds[7], rounds[0]) {
		t.Error("another seed gave the same round")
	}
}

// TestReadyToken: with a token of somebody else's, what needs a key is skipped, and nothing else.
func TestReadyToken(t *testing.T) {
	model, _, url := gate(t, mcpfake.Options{}, nil)
	bearer, err := model.template.Good(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	target := model.target(url)
	target.Providers = []probe.Provider{{Name: "theirs", Bearer: bearer}}
	report := run(t, runner.Options{}, target)
	if verdict := verdicts.Of(report); verdict.Kind != probe.Locked {
		t.Errorf("%+v", verdict)
	}
	for _, asked := range []probe.Case{probe.NoToken, probe.WrongScheme, probe.FlippedSignature, probe.WrongKey, probe.AlgNone, probe.OneConnection} {
		if got := firstResult(t, report, asked); got.Outcome != probe.Passed {
			t.Errorf("%+v", got)
		}
	}
	for _, name := range []probe.Case{probe.Expired, probe.QueryToken, probe.WrongIssuer, probe.MissingScope, probe.ForeignSession} {
		if !slices.ContainsFunc(report.Skipped, func(s probe.Skipped) bool { return s.Case == name && s.Reason != "" }) {
			t.Errorf("%s was not skipped: %+v", name, report.Skipped)
		}
	}
	for _, request := range model.seen {
		if strings.Contains(request.target, bearer) {
			t.Error("the token was put into a URL")
		}
	}
	target.Providers[0].Bearer = "opaque-token"
	target.Exact = false
	report = run(t, runner.Options{}, target)
	if !slices.ContainsFunc(report.Skipped, func(s probe.Skipped) bool { return s.Case == probe.AlgNone }) {
		t.Errorf("skipped %+v", report.Skipped)
	}
}

// TestPlan says before what a round then asks.
func TestPlan(t *testing.T) {
	model, _, url := gate(t, mcpfake.Options{}, nil)
	for _, tier := range []probe.Tier{probe.Full, probe.Quick} {
		target := model.target(url)
		target.Tier, target.Seed = tier, 3
		plan, err := runner.Plan(target)
		if err != nil {
			t.Fatal(err)
		}
		report := run(t, runner.Options{}, target)
		var planned, asked []string
		for _, p := range plan {
			if p.Lacks == "" {
				planned = append(planned, fmt.Sprintln(p.Case, p.Provider, p.Method, p.Variation, p.Expected))
			}
		}
		for _, r := range report.Results {
			asked = append(asked, fmt.Sprintln(r.Case, r.Provider, r.Method, r.Variation, r.Expected))
		}
		if !slices.Equal(planned, asked) {
			t.Errorf("%s: planned %q, asked %q", tier, planned, asked)
		}
	}
	if _, err := runner.Plan(probe.Target{}); err == nil {
		t.Error("a target that makes no sense was planned for")
	}
}

// TestRequestIDs are the caller's.
func TestRequestIDs(t *testing.T) {
	model, _, url := gate(t, mcpfake.Options{}, nil)
	target := model.target(url)
	var count atomic.Int64
	target.RequestID = func() string { return fmt.Sprintf("id-%d", count.Add(1)) }
	run(t, runner.Options{}, target)
	for _, request := range model.seen {
		if !strings.HasPrefix(request.header.Get("X-Request-Id"), "id-") {
			t.Errorf("%s: %v", request.asked, request.header)
		}
	}
	if count.Load() != int64(len(model.seen)) {
		t.Errorf("%d ids for %d requests", count.Load(), len(model.seen))
	}
}
