package authprobe

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/admin"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/probe"
)

var thrice = desired.Probe{SuccessThreshold: 1, FailureThreshold: 3, Interval: 30 * time.Second}

// failuresOf are those of a gate that answers a form wrongly.
func failuresOf(t *testing.T) probe.Failures {
	t.Helper()
	return probe.FailuresFor(probe.Failure{Result: probe.Result{Case: probe.Varied, Outcome: probe.Accepted}, Confirmed: true})
}

// TestConfirmedCountsAtOnce: what was seen twice needs no threshold, whatever it is called.
func TestConfirmedCountsAtOnce(t *testing.T) {
	seen := broken
	for confirmed, want := range map[bool]bool{false: false, true: true} {
		seen.confirmed = confirmed
		if e := (entry{standing: &good}).next(seen, thrice); (e.standing.grade == failed) != want {
			t.Errorf("confirmed: %t: %+v", confirmed, e.standing)
		}
	}
}

// TestNothingEndsWhatStands: rounds that prove nothing end what speaks against a lock, but not while a question stands.
func TestNothingEndsWhatStands(t *testing.T) {
	for name, c := range map[string]struct {
		failures, strange probe.Failures
		want              grade
	}{
		"nothing stands": {probe.Failures{}, probe.Failures{}, unknown}, "a question": {failuresOf(t), probe.Failures{}, open},
		"one of rounds without a good token": {probe.Failures{}, failuresOf(t), open},
	} {
		e := entry{standing: &wideOpen, failures: c.failures, strange: c.strange}
		for range 5 {
			e = e.next(down, thrice)
		}
		if e.standing.grade != c.want {
			t.Errorf("%s: %+v", name, e.standing)
		}
	}
}

// TestMendingIsSeenSoon: a question that was answered rightly is asked again soon, and the entry keeps it till then.
func TestMendingIsSeenSoon(t *testing.T) {
	e := entry{standing: &wideOpen, rounds: 9, failures: failuresOf(t)}
	if got := e.delay(thrice, 0.5); got != thrice.Interval {
		t.Errorf("while it fails: %v", got)
	}
	e.failures = probe.FailuresFor(probe.Failure{Right: 2})
	if got := e.delay(thrice, 0.5); got != mendingDelay {
		t.Errorf("once it was right: %v", got)
	}
	e = e.learn(observation{evidence: good, asked: &memory{turn: probe.Turn{Round: 4}}}, thrice, 0)
	if e.turn.Round != 4 || e.failures.Len() != 0 {
		t.Errorf("%+v", e)
	}
}

func TestRemembered(t *testing.T) {
	known, after := failuresOf(t), probe.FailuresFor(probe.Failure{Result: probe.Result{Case: probe.Malformed}})
	if got := remembered(known, known, after); got.Len() != 1 {
		t.Errorf("handed on: %+v", got)
	}
	if got := remembered(known, probe.Failures{}, after); got.Len() != 2 {
		t.Errorf("kept back: %+v", got)
	}
}

// TestSelfTest: what a gate found by trying itself is evidence against it, and no message says what nobody asked.
func TestSelfTest(t *testing.T) {
	for said, want := range map[string]struct {
		grade  grade
		reason string
	}{
		"passed": {}, "pending": {}, "no token: dial tcp 127.0.0.1:8080: connection refused": {},
		`forgery for main: got status 200 and reason "", want 401 and "bad_signature"`: {open, v1alpha1.ReasonInvalidTokenAccepted},
		`no token: got status 403 and reason "", want 401 and "missing_token"`:         {failed, v1alpha1.ReasonWrongAnswer},
	} {
		got := selfTested(admin.State{SelfTest: said}, noon)
		if (got == nil) != (want.reason == "") || got != nil && (got.grade != want.grade || got.reason != want.reason || !got.confirmed) {
			t.Errorf("%s: %+v", said, got)
		}
	}
}

// TestSeenAtTheService: a case that was let in at the Service's address is asked at each look, until it was refused twice at
// once and at one later look; the other case changes nothing.
func TestSeenAtTheService(t *testing.T) {
	openAt := probe.Result{Case: probe.Malformed, Outcome: probe.Accepted, Confirmed: true, Seen: "200"}
	right := probe.Result{Case: probe.Malformed, Outcome: probe.Passed}
	view, again := serviceView{}.learn("10.0.0.1:80", openAt, noon)
	if view.finding == nil || view.seen == nil || !view.ask || again {
		t.Fatalf("%+v", view)
	}
	for i, want := range []struct{ stands, again bool }{{true, true}, {true, false}, {false, false}} {
		view.ask = false
		if view, again = view.learn("10.0.0.1:80", right, noon); (view.finding != nil) != want.stands || again != want.again || view.ask {
			t.Errorf("refusal %d: %+v", i+1, view)
		}
	}
	gone, _ := serviceView{}.learn("10.0.0.1:80", openAt, noon)
	if gone = gone.forgetSeen(); gone.finding != nil || gone.seen != nil {
		t.Errorf("without an address: %+v", gone)
	}
	for name, c := range map[string]struct {
		pods map[types.UID]entry
		says string
	}{
		"no pod could be asked": {map[types.UID]entry{"a": {standing: &evidence{grade: proven, at: noon.Add(-time.Second)}}}, "could not be asked"},
		"all pods refuse":       {map[types.UID]entry{"a": {standing: &evidence{grade: proven, at: noon}}}, "(1) refused it: something else answers"},
		"a pod is open":         {map[types.UID]entry{"a": {standing: &evidence{grade: open, at: noon}}}, "1 were asked the same at once, at their own addresses, and 0 refused it"},
	} {
		found, _ := serviceView{}.learn("10.0.0.1:80", openAt, noon)
		if got := found.against(c.pods); !strings.Contains(got.finding.message, c.says) || got.seen.message != got.finding.message {
			t.Errorf("%s: %s", name, got.finding.message)
		}
	}
}

// TestUrgedPodsWaitForNobody, and a proof that is about to lapse does not for want of budget.
func TestUrgedPodsWaitForNobody(t *testing.T) {
	for name, c := range map[string]struct {
		urgent bool
		age    time.Duration
		want   bool
	}{"no budget": {false, time.Minute, false}, "urged": {true, time.Minute, true}, "about to lapse": {false, lastingOf(thrice) - time.Second, true}} {
		r := &Reconciler{Now: func() time.Time { return noon }, Jitter: func() float64 { return 0 }, budget: newBudget(1)}
		r.budget.charge(r.budget.limiter.Burst(), noon)
		standing := good
		standing.at = noon.Add(-c.age)
		e := entry{standing: &standing, due: noon, urgent: c.urgent}
		if got := r.isDue(&e, thrice, 1); got != c.want || !got && e.hindered != hinderedByBudget {
			t.Errorf("%s: %t, %q", name, got, e.hindered)
		}
	}
	standing := good
	standing.at = noon.Add(-time.Hour)
	if got := standing.asOf(noon, thrice, hinderedByBudget); !strings.Contains(got.message, "--probe-qps") {
		t.Errorf("%s", got.message)
	}
	if e := urged(map[types.UID]entry{"a": {due: noon.Add(time.Hour), full: fullProof{basis: "b"}}}, noon)["a"]; !e.urgent || !e.due.Equal(noon) || e.full.basis != "" {
		t.Errorf("%+v", e)
	}
}

func TestIsProviderOf(t *testing.T) {
	server := &v1alpha1.MCPServer{}
	name := desired.Resolve(server).Providers[0].Name
	of := isProviderOf(server)
	for asked, want := range map[string]bool{name: true, name + " (ServiceAccount)": true, name + "x": false, "gone": false} {
		if of(asked) != want {
			t.Errorf("%s: %t", asked, !want)
		}
	}
}

// TestRecalled: an operator that starts asks what status says that a pod has failed, for which no full round would ask.
func TestRecalled(t *testing.T) {
	server := &v1alpha1.MCPServer{}
	pod := podWithGate("", "")
	pod.Name = "weather-1"
	if got := recalled(server, pod); got.Len() != 0 {
		t.Errorf("nothing was said: %+v", got)
	}
	server.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionAuthHealthy, Reason: v1alpha1.ReasonInvalidTokenAccepted}}
	for asked, want := range map[string]int{
		"variation: HTTP/1.0, no token; provider main": 1, "extra-path: /files": 1, "wrong-key": 0, "listeners": 0, "age of the proof": 0,
	} {
		server.Status.AuthHealth = &v1alpha1.AuthHealth{Failures: []v1alpha1.AuthFailure{
			{Pod: "weather-1", Case: asked, Expected: "401", Seen: "200"}, {Pod: "weather-2", Case: asked},
		}}
		got := recalled(server, pod)
		if got.Len() != want || want == 1 && (got.All()[0].Result.Seen != "200" || got.All()[0].Result.Outcome != probe.Accepted) {
			t.Errorf("%s: %+v", asked, got)
		}
	}
}
