package authhealth

import (
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/probe"
)

func TestThresholds(t *testing.T) {
	settings := desired.Probe{Interval: 30 * time.Second, FailureThreshold: 3, SuccessThreshold: 2}
	play := func(rounds ...Evidence) string {
		var e PodFindings
		for _, seen := range rounds {
			e = e.next(seen, settings)
		}
		if e.Standing == nil {
			return "nothing"
		}
		return e.Standing.Reason
	}
	for name, c := range map[string]struct {
		rounds []Evidence
		want   string
	}{
		"first proof counts at once":                {[]Evidence{good}, v1alpha1.ReasonProven},
		"two failures do not":                       {[]Evidence{good, broken, broken}, v1alpha1.ReasonProven},
		"three do":                                  {[]Evidence{good, broken, broken, broken}, v1alpha1.ReasonConnectionReset},
		"three in a row, that is":                   {[]Evidence{good, broken, broken, good, broken, broken}, v1alpha1.ReasonProven},
		"of different kinds as well":                {[]Evidence{good, broken, down, down}, v1alpha1.ReasonUpstreamUnavailable},
		"open counts at once":                       {[]Evidence{good, wideOpen}, v1alpha1.ReasonUnauthenticatedAccepted},
		"one good round does not mend it":           {[]Evidence{good, wideOpen, good}, v1alpha1.ReasonUnauthenticatedAccepted},
		"two that do not follow each other neither": {[]Evidence{good, wideOpen, good, down, good}, v1alpha1.ReasonUnauthenticatedAccepted},
		"a hiccup does not end it":                  {[]Evidence{good, wideOpen, wideOpen, down}, v1alpha1.ReasonUnauthenticatedAccepted},
		"nor do two of them":                        {[]Evidence{good, wideOpen, down, down, wideOpen, down, down}, v1alpha1.ReasonUnauthenticatedAccepted},
		"three that prove nothing do":               {[]Evidence{good, wideOpen, down, down, down}, v1alpha1.ReasonUpstreamUnavailable},
		"nor does a hiccup end a failure":           {[]Evidence{good, broken, broken, broken, down}, v1alpha1.ReasonConnectionReset},
		"two do":                                    {[]Evidence{good, wideOpen, good, good}, v1alpha1.ReasonProven},
		"nothing stands before the threshold":       {[]Evidence{broken, broken}, "nothing"},
		"a pod that fails from the start is known":  {[]Evidence{down, down, down}, v1alpha1.ReasonUpstreamUnavailable},
	} {
		if got := play(c.rounds...); got != c.want {
			t.Errorf("%s: %s stands, want %s", name, got, c.want)
		}
	}
}

// TestConfirmedCountsAtOnce: what was seen twice needs no threshold, whatever it is called.
func TestConfirmedCountsAtOnce(t *testing.T) {
	seen := broken
	for confirmed, want := range map[bool]bool{false: false, true: true} {
		seen.Confirmed = confirmed
		if e := (PodFindings{Standing: &good}).next(seen, thrice); (e.Standing.Grade == Failed) != want {
			t.Errorf("confirmed: %t: %+v", confirmed, e.Standing)
		}
	}
}

// TestNothingEndsWhatStands: rounds that prove nothing end what speaks against a lock, but not while a question stands.
func TestNothingEndsWhatStands(t *testing.T) {
	for name, c := range map[string]struct {
		failures, strange probe.Failures
		want              Grade
	}{
		"nothing stands": {probe.Failures{}, probe.Failures{}, Unknown}, "a question": {failuresOf(t), probe.Failures{}, Open},
		"one of rounds without a good token": {probe.Failures{}, failuresOf(t), Open},
	} {
		e := PodFindings{Standing: &wideOpen, Failures: c.failures, Strange: c.strange}
		for range 5 {
			e = e.next(down, thrice)
		}
		if e.Standing.Grade != c.want {
			t.Errorf("%s: %+v", name, e.Standing)
		}
	}
}

// TestMendingIsSeenSoon: a question that was answered rightly is asked again soon, and the findings keep it till then.
func TestMendingIsSeenSoon(t *testing.T) {
	e := PodFindings{Standing: &wideOpen, Rounds: 9, Failures: failuresOf(t)}
	if got := e.Delay(thrice, 0.5); got != thrice.Interval {
		t.Errorf("while it fails: %v", got)
	}
	e.Failures = probe.FailuresFor(probe.Failure{Right: 2})
	if got := e.Delay(thrice, 0.5); got != mendingDelay {
		t.Errorf("once it was right: %v", got)
	}
	e = e.Learn(Observation{Evidence: good, Asked: &Memory{Turn: probe.Turn{Round: 4}}}, thrice, 0)
	if e.Turn.Round != 4 || e.Failures.Len() != 0 {
		t.Errorf("%+v", e)
	}
}

// TestRecalled: an operator that starts asks what status says that a pod has failed, for which no full round would ask.
func TestRecalled(t *testing.T) {
	server := &v1alpha1.MCPServer{}
	pod := podWithGate("", "")
	pod.Name = "weather-1"
	if got := Recalled(server, pod); got.Len() != 0 {
		t.Errorf("nothing was said: %+v", got)
	}
	server.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionAuthHealthy, Reason: v1alpha1.ReasonInvalidTokenAccepted}}
	for asked, want := range map[string]int{
		"variation: HTTP/1.0, no token; provider main": 1, "extra-path: /files": 1, "wrong-key": 0, "listeners": 0, "age of the proof": 0,
	} {
		server.Status.AuthHealth = &v1alpha1.AuthHealth{Failures: []v1alpha1.AuthFailure{
			{Pod: "weather-1", Case: asked, Expected: "401", Seen: "200"}, {Pod: "weather-2", Case: asked},
		}}
		got := Recalled(server, pod)
		if got.Len() != want || want == 1 && (got.All()[0].Result.Seen != "200" || got.All()[0].Result.Outcome != probe.Accepted) {
			t.Errorf("%s: %+v", asked, got)
		}
	}
}

func TestCertificatesOf(t *testing.T) {
	findings := Findings{"a": {Certificate: "2"}, "b": {Certificate: "1"}, "c": {Certificate: "2"}, "d": {}}
	if got := findings.Certificates(); !slices.Equal(got, []string{"1", "2"}) {
		t.Errorf("%v", got)
	}
}
