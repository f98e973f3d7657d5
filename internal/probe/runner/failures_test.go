package runner_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/forms"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/runner"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/verdicts"
	"github.com/mcp-gatehouse/gatehouse/test/mcpfake"
)

// leaky is a model gate that opens to some requests for as long as it leaks.
func leaky(t *testing.T, opens func(*http.Request) bool) (target probe.Target, leaks *bool) {
	t.Helper()
	model, fake, _ := gate(t, mcpfake.Options{}, nil)
	leaks = new(bool)
	*leaks = true
	target = model.target(served(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if *leaks && opens(r) {
			fake.ServeHTTP(w, r)
			return
		}
		model.ServeHTTP(w, r)
	})))
	target.Tier, target.Turn = probe.Quick, probe.Turn{Round: 1}
	return target, leaks
}

// follow runs a round after another on the same gate.
func follow(t *testing.T, target *probe.Target) probe.Report {
	t.Helper()
	report := run(t, runner.Options{}, *target)
	target.Turn, target.Failures = report.Turn, report.Failures
	return report
}

// at begins with the row of a form and a defect.
func at(t *testing.T, target probe.Target, form, defect string) probe.Turn {
	t.Helper()
	i := slices.IndexFunc(forms.Rows(target), func(row forms.Row) bool { return row.Form == form && row.Defect == defect })
	if i < 0 {
		t.Fatalf("there is no row %s, %s", form, defect)
	}
	return probe.Turn{Round: 1, Light: uint64(i)}
}

func old(r *http.Request) bool { return r.ProtoMinor == 0 }

// TestWhatWasSeenStays: a leak that a row saw is open in each later round, though other rows have their turn, until the same
// question got three right answers in two rounds.
func TestWhatWasSeenStays(t *testing.T) {
	target, leaks := leaky(t, old)
	target.Turn = at(t, target, "HTTP/1.0", "forged token of a client")
	for round := range 5 {
		verdict := verdicts.Of(follow(t, &target))
		if verdict.Kind != probe.Open || !verdict.Confirmed || verdict.Case != probe.Varied {
			t.Fatalf("round %d: %+v", round, verdict)
		}
	}
	*leaks = false
	first := verdicts.Of(follow(t, &target))
	if first.Kind != probe.Open || !strings.Contains(first.Message, "answered as it must be 2 times") {
		t.Errorf("after one round without the leak: %+v", first)
	}
	if second := verdicts.Of(follow(t, &target)); second.Kind != probe.Locked || target.Failures.Len() != 0 {
		t.Errorf("after two rounds without the leak: %+v", second)
	}
}

// TestRelapse: whoever answers rightly once, and then wrongly again, begins anew.
func TestRelapse(t *testing.T) {
	target, leaks := leaky(t, old)
	target.Turn = at(t, target, "HTTP/1.0", "no token")
	for i, want := range []probe.Kind{probe.Open, probe.Open, probe.Open, probe.Open, probe.Locked} {
		*leaks = i == 0 || i == 2
		if got := verdicts.Of(follow(t, &target)); got.Kind != want {
			t.Errorf("round %d: %+v", i, got)
		}
	}
}

// TestExactQuestion: the draws of a question are those of the round in which it failed.
func TestExactQuestion(t *testing.T) {
	var asked []string
	target, _ := leaky(t, func(r *http.Request) bool {
		if strings.HasPrefix(r.Header.Get("Authorization"), "Bearer ") && r.ProtoMinor == 0 {
			asked = append(asked, r.Header.Get("Authorization")+r.Header.Get("User-Agent"))
			return true
		}
		return false
	})
	target.Turn = at(t, target, "HTTP/1.0", "malformed token")
	for range 6 {
		follow(t, &target)
	}
	if slices.Sort(asked); len(asked) != 12 || len(slices.Compact(asked)) != 1 {
		t.Errorf("%q", asked)
	}
}

// TestConfirmedAtOnce: a wrong answer that is no entry is asked again at once, beside a control.
func TestConfirmedAtOnce(t *testing.T) {
	model, _, _ := gate(t, mcpfake.Options{}, nil)
	wrong := 0
	target := model.target(served(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if old(r) {
			if wrong--; wrong >= 0 {
				textHandler(http.StatusTeapot, "text/plain", "no")(w, r)
				return
			}
		}
		model.ServeHTTP(w, r)
	})))
	for name, c := range map[string]struct {
		wrong     int
		confirmed bool
		left      int // after the next round
	}{"once": {1, false, 0}, "twice": {2, true, 1}} {
		wrong, target.Failures, target.Tier = c.wrong, probe.Failures{}, probe.Quick
		target.Turn = at(t, target, "HTTP/1.0", "no token")
		verdict := verdicts.Of(follow(t, &target))
		if verdict.Kind != probe.Broken || verdict.Confirmed != c.confirmed || target.Failures.Len() != 1 {
			t.Errorf("%s: %+v", name, verdict)
		}
		if follow(t, &target); target.Failures.Len() != c.left {
			t.Errorf("%s: %+v", name, target.Failures.All())
		}
	}
}

// TestQuestionThatIsNoMore is dropped, and one of a provider that cannot be tried stays.
func TestQuestionThatIsNoMore(t *testing.T) {
	target, leaks := leaky(t, func(r *http.Request) bool { return r.URL.Path == modelExtra })
	target.Tier = probe.Full
	if verdict := verdicts.Of(follow(t, &target)); verdict.Case != probe.ExtraPath || !verdict.Confirmed {
		t.Fatalf("%+v", verdict)
	}
	*leaks = false
	without := target
	without.Policy.ExtraPaths = nil
	if verdict := verdicts.Of(follow(t, &without)); verdict.Kind != probe.Locked || without.Failures.Len() != 0 {
		t.Errorf("%+v", verdict)
	}
	kept := target.Failures.Keep(func(string) bool { return false })
	if kept.Len() != 1 || (probe.Failures{}).With(kept).Len() != 1 || kept.With(kept).Len() != 1 {
		t.Errorf("%+v", kept)
	}
}

// TestTurns: what is asked in part is asked within as many rounds as docs/probe.md says, and one after the other.
func TestTurns(t *testing.T) {
	model, _, url := gate(t, mcpfake.Options{}, nil)
	target := model.target(url)
	target.Policy.ExtraPaths = []string{"/a", "/b", "/c", "/d", "/e", "/f", "/g", "/h"}
	target.Turn = probe.Turn{Round: 1}
	seen, rows := map[string]int{}, map[string]int{}
	for range 4 {
		plan, err := runner.Plan(target)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range plan {
			switch p.Case {
			case probe.ExtraPath:
				seen[p.Variation]++
			case probe.Varied:
				rows[p.Variation]++
			default:
			}
		}
		target.Turn.Round++
		target.Turn.Light += 3
		target.Turn.Heavy++
	}
	if len(seen) != 8 || len(rows) != 16 {
		t.Errorf("paths %v, rows %v", seen, rows)
	}
	report := run(t, runner.Options{}, target)
	if got := report.Turn; got != (probe.Turn{Round: 6, Light: 15, Heavy: 5}) {
		t.Errorf("the next turn is %+v", got)
	}
}

// TestWary asks under each name of the target, in a quick check as well, and takes nobody's turn.
func TestWary(t *testing.T) {
	model, _, url := gate(t, mcpfake.Options{}, nil)
	target := model.target(url)
	target.Tier, target.Turn, target.Hosts, target.EachHost = probe.Quick, probe.Turn{Round: 4}, []string{modelHost, "10.0.0.1:80"}, true
	report := run(t, runner.Options{}, target)
	var asked []string
	for _, result := range report.Results {
		if result.Case == probe.Varied {
			asked = append(asked, result.Variation+" "+string(result.Outcome))
		}
	}
	slices.Sort(asked)
	if got := strings.Join(asked, "; "); got != "Host 10.0.0.1:80, malformed token Passed; Host 10.0.0.1:80, no token Passed; "+
		"Host weather.tools.svc, malformed token Passed; Host weather.tools.svc, no token Passed" {
		t.Errorf("asked %s", got)
	}
	if report.Turn != (probe.Turn{Round: 5}) {
		t.Errorf("the next turn is %+v", report.Turn)
	}
}

// TestBehindAProxy: what a proxy before the gate may answer itself is not asked, and a path that ends in a slash has none more.
func TestBehindAProxy(t *testing.T) {
	model, _, url := gate(t, mcpfake.Options{}, nil)
	target := model.target(strings.TrimSuffix(url, "mcp"))
	target.Hosts, target.Proxied = []string{modelHost}, true
	for _, row := range forms.Rows(target) {
		for _, word := range []string{"Host ", "HTTP/", "Upgrade", "absolute", "trailers", "segment", "two tokens, ", "slash at the end", "path below"} {
			if strings.HasPrefix(row.Form, word) || strings.Contains(row.Form, " "+word) {
				t.Errorf("%s is asked", row.Form)
			}
		}
	}
}

// TestRecall: a failure that was kept by the name of its question is asked again, and stands until it is refuted.
func TestRecall(t *testing.T) {
	target, leaks := leaky(t, old)
	target.Turn = at(t, target, "HTTP/1.0", "no token")
	verdict := verdicts.Of(follow(t, &target))
	if verdict.Question() != "variation: HTTP/1.0, no token; provider model" {
		t.Errorf("the question is called %q", verdict.Question())
	}
	known, found := probe.Recall(verdict.Question(), verdict.Expected, verdict.Seen, true, time.Now().Add(-time.Hour))
	target.Turn, target.Failures = probe.Turn{Round: 4}, probe.FailuresFor(known)
	for i, want := range []probe.Kind{probe.Open, probe.Open, probe.Locked} {
		*leaks = i == 0
		if got := verdicts.Of(follow(t, &target)); got.Kind != want || !found {
			t.Errorf("round %d: %+v", i, got)
		}
	}
	for _, question := range []string{"none", "valid: x", "listeners: 8000", ""} {
		if _, found := probe.Recall(question, "", "", true, time.Now()); found {
			t.Errorf("%q was recalled", question)
		}
	}
}

// TestWhatAnotherGateFailed_IsAskedHere: a gate with the same fault is found by its next check, and one without it stays proven.
func TestWhatAnotherGateFailed_IsAskedHere(t *testing.T) {
	target, leaks := leaky(t, old)
	other := target
	other.Turn = at(t, target, "HTTP/1.0", "forged token of a client")
	follow(t, &other)
	if other.Failures.Len() != 1 {
		t.Fatalf("the other gate has %+v", other.Failures.All())
	}
	target.Turn, target.Elsewhere = probe.Turn{Round: 4}, other.Failures // in this round, no row has its turn
	*leaks = false
	if report := follow(t, &target); verdicts.Of(report).Kind != probe.Locked || report.Failures.Len() != 0 {
		t.Errorf("without the fault: %+v", verdicts.Of(report))
	}
	*leaks = true
	if got := verdicts.Of(follow(t, &target)); got.Kind != probe.Open || !got.Confirmed {
		t.Errorf("with it: %+v", got)
	}
	if got := verdicts.Of(follow(t, &target)); got.Kind != probe.Open || target.Failures.Len() != 1 {
		t.Errorf("with it, in the next check: %+v, %+v", got, target.Failures.All())
	}
}
