package authhealth

import (
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/probe"
)

func TestGateFollowsProofAndOpennessOnly(t *testing.T) {
	for name, c := range map[string]struct {
		standing *Evidence
		want     string
	}{
		"nothing": {nil, ""}, "proven": {&good, "True"}, "open": {&wideOpen, "False"}, "broken": {&broken, ""}, "unknown": {&down, ""},
	} {
		status, decided := WantedGate(PodFindings{Standing: c.standing}, false)
		if string(status) != c.want || decided != (c.want != "") {
			t.Errorf("%s: got %q, %v", name, status, decided)
		}
	}
}

// What rounds see on the only pod, what AuthHealthy says after one of them and after the threshold, and what becomes of the
// readiness gate of a pod that was proven before. On a pod that was not, only proof sets it.
func TestVerdictTable(t *testing.T) {
	settings := defaults.Probe
	proof := probe.Verdict{Kind: probe.Locked}
	for _, c := range []struct {
		seen         probe.Verdict
		first, after string
		gate         corev1.ConditionStatus // empty for one that is not touched
	}{
		{proof, "True Proven", "True Proven", corev1.ConditionTrue},
		{probe.Verdict{Kind: probe.Open, Case: probe.NoToken}, "False UnauthenticatedAccepted", "False UnauthenticatedAccepted", corev1.ConditionFalse},
		{probe.Verdict{Kind: probe.Open, Case: probe.WrongKey}, "False InvalidTokenAccepted", "False InvalidTokenAccepted", corev1.ConditionFalse},
		{probe.Verdict{Kind: probe.ValidRejected}, "True Proven", "False ValidTokenRejected", ""},
		{probe.Verdict{Kind: probe.UpstreamUnavailable}, "True Proven", "Unknown UpstreamUnavailable", ""},
		{probe.Verdict{Kind: probe.Broken, Outcome: probe.Reset}, "True Proven", "False ConnectionReset", ""},
		{probe.Verdict{Kind: probe.Broken, Outcome: probe.ClosedWithoutAnswer}, "True Proven", "False ConnectionClosed", ""},
		{probe.Verdict{Kind: probe.Broken, Outcome: probe.NotHTTP}, "True Proven", "False NotHTTP", ""},
		{probe.Verdict{Kind: probe.Broken, Outcome: probe.Timeout}, "True Proven", "False ProbeTimeout", ""},
		{probe.Verdict{Kind: probe.Broken, Outcome: probe.Accepted}, "True Proven", "False WrongAnswer", ""},
		{probe.Verdict{Kind: probe.Unreachable}, "True Proven", "Unknown Unreachable", ""},
		{probe.Verdict{Kind: probe.ClockSkew}, "True Proven", "Unknown ClockSkew", ""},
		{probe.Verdict{Kind: probe.Inconclusive}, "True Proven", "Unknown Inconclusive", ""},
	} {
		name := string(c.seen.Kind) + " " + string(c.seen.Outcome)
		rounds := func(e PodFindings, n int) PodFindings {
			for range n {
				e = e.next(FromReport(probe.Report{}, c.seen, noon), settings)
			}
			return e
		}
		says := func(e PodFindings) string {
			pods := []corev1.Pod{podWithGate(corev1.ConditionTrue, v1alpha1.ReasonProven)}
			got, _ := Judge(Subjects(pods, Findings{"uid": e}, noon, defaults), false)
			return string(got.Status) + " " + got.Reason
		}
		before := PodFindings{}.next(FromReport(probe.Report{}, proof, noon), settings)
		if got := says(rounds(before, 1)); got != c.first {
			t.Errorf("%s: after one round %s, want %s", name, got, c.first)
		}
		if got := says(rounds(before, settings.FailureThreshold)); got != c.after {
			t.Errorf("%s: after the threshold %s, want %s", name, got, c.after)
		}
		if got, _ := WantedGate(rounds(before, settings.FailureThreshold), false); got != c.gate {
			t.Errorf("%s: the gate of a proven pod is to be %q, want %q", name, got, c.gate)
		}
		if got, _ := WantedGate(rounds(PodFindings{}, settings.FailureThreshold), false); got != c.gate {
			t.Errorf("%s: the gate of a new pod is to be %q, want %q", name, got, c.gate)
		}
	}
}

// A gate that people have set stays, and none is withdrawn while the circuit breaker is tripped.
func TestMovesGate(t *testing.T) {
	const byHand = ""
	for name, c := range map[string]struct {
		gate    corev1.ConditionStatus
		reason  string
		wanted  corev1.ConditionStatus
		tripped bool
		want    bool
	}{
		"the first proof":                      {"", "", corev1.ConditionTrue, false, true},
		"one more proof":                       {corev1.ConditionTrue, v1alpha1.ReasonProven, corev1.ConditionTrue, false, false},
		"a proof after it was open":            {corev1.ConditionFalse, v1alpha1.ReasonInvalidTokenAccepted, corev1.ConditionTrue, false, true},
		"a proof takes over what a person set": {corev1.ConditionTrue, byHand, corev1.ConditionTrue, false, true},
		"open":                                 {corev1.ConditionTrue, v1alpha1.ReasonProven, corev1.ConditionFalse, false, true},
		"open, while the circuit breaker is tripped":      {corev1.ConditionTrue, v1alpha1.ReasonProven, corev1.ConditionFalse, true, false},
		"open, and set by hand":                           {corev1.ConditionTrue, byHand, corev1.ConditionFalse, false, false},
		"open, never proven":                              {"", "", corev1.ConditionFalse, false, true},
		"still open":                                      {corev1.ConditionFalse, v1alpha1.ReasonInvalidTokenAccepted, corev1.ConditionFalse, false, false},
		"given back while the circuit breaker is tripped": {corev1.ConditionFalse, v1alpha1.ReasonInvalidTokenAccepted, corev1.ConditionTrue, true, true},
	} {
		if got := MovesGate(podWithGate(c.gate, c.reason), c.wanted, c.tripped); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// What the circuit breaker gives back is what it would not have taken: a gate that was set by proof, and no other.
func TestGateThatTheCircuitBreakerGivesBack(t *testing.T) {
	for name, c := range map[string]struct {
		e       PodFindings
		tripped bool
		want    corev1.ConditionStatus
	}{
		"withdrawn before it tripped": {PodFindings{Standing: &wideOpen, Withdrawn: true}, true, corev1.ConditionTrue},
		"withdrawn, and not tripped":  {PodFindings{Standing: &wideOpen, Withdrawn: true}, false, corev1.ConditionFalse},
		"never proven":                {PodFindings{Standing: &wideOpen}, true, corev1.ConditionFalse},
		"broken":                      {PodFindings{Standing: &broken, Withdrawn: true}, true, ""},
	} {
		if got, _ := WantedGate(c.e, c.tripped); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
