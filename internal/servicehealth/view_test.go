package servicehealth

import (
	"strings"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/authhealth"
	"github.com/mcp-gatehouse/gatehouse/internal/probe"
)

// TestSeenAtTheService: a case that was let in at the Service's address is asked at each look, until it was refused twice at
// once and at one later look; the other case changes nothing.
func TestSeenAtTheService(t *testing.T) {
	openAt := probe.Result{Case: probe.Malformed, Outcome: probe.Accepted, Confirmed: true, Seen: "200"}
	right := probe.Result{Case: probe.Malformed, Outcome: probe.Passed}
	view, again := View{}.Learn("10.0.0.1:80", openAt, noon)
	if view.Finding == nil || view.Seen == nil || !view.Ask || again {
		t.Fatalf("%+v", view)
	}
	for i, want := range []struct{ stands, again bool }{{true, true}, {true, false}, {false, false}} {
		view.Ask = false
		if view, again = view.Learn("10.0.0.1:80", right, noon); (view.Finding != nil) != want.stands || again != want.again || view.Ask {
			t.Errorf("refusal %d: %+v", i+1, view)
		}
	}
	gone, _ := View{}.Learn("10.0.0.1:80", openAt, noon)
	if gone = gone.ForgetSeen(); gone.Finding != nil || gone.Seen != nil {
		t.Errorf("without an address: %+v", gone)
	}
	for name, c := range map[string]struct {
		pods authhealth.Findings
		says string
	}{
		"no pod could be asked": {authhealth.Findings{"a": {Standing: &authhealth.Evidence{Grade: authhealth.Proven, At: noon.Add(-time.Second)}}}, "could not be asked"},
		"all pods refuse":       {authhealth.Findings{"a": {Standing: &authhealth.Evidence{Grade: authhealth.Proven, At: noon}}}, "(1) refused it: something else answers"},
		"a pod is open":         {authhealth.Findings{"a": {Standing: &authhealth.Evidence{Grade: authhealth.Open, At: noon}}}, "1 were asked the same at once, at their own addresses, and 0 refused it"},
	} {
		found, _ := View{}.Learn("10.0.0.1:80", openAt, noon)
		if got := found.Against(c.pods); !strings.Contains(got.Finding.Message, c.says) || got.Seen.Message != got.Finding.Message {
			t.Errorf("%s: %s", name, got.Finding.Message)
		}
	}
}

// Through the Service's address nothing is proven against a pod: it is told once it is no chance.
func TestNoteOnTheService(t *testing.T) {
	for failing, want := range map[int]bool{0: false, 2: false, 3: true, 4: true} {
		if got := (View{Failing: failing, problem: "a reset"}).Note(3); strings.Contains(got, "saw a reset instead") != want {
			t.Errorf("%d failures: %q", failing, got)
		}
	}
	if got := (View{Failing: 9}).Note(3); got != "" {
		t.Errorf("without a problem: %q", got)
	}
}
