package authprobe

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/probe"
)

// podWithGate is a ready pod whose readiness gate says this, for this reason; empty for a pod that was never proven.
func podWithGate(gate corev1.ConditionStatus, reason string) corev1.Pod {
	pod := corev1.Pod{}
	pod.Name, pod.UID, pod.CreationTimestamp = "a", "uid", metav1.NewTime(noon.Add(-desired.StartBudget))
	pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.ContainersReady, Status: corev1.ConditionTrue}}
	if gate != "" {
		pod.Status.Conditions = append(pod.Status.Conditions, corev1.PodCondition{Type: v1alpha1.ConditionPodAuthProven, Status: gate, Reason: reason})
	}
	return pod
}

// What rounds see on the only pod, what AuthHealthy says after one of them and after the threshold, and what becomes of the
// readiness gate of a pod that was proven before. On a pod that was not, only proof sets it.
func TestVerdictTable(t *testing.T) {
	settings := desired.Probe{Interval: 30 * time.Second, FailureThreshold: 3, SuccessThreshold: 1}
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
		rounds := func(e entry, n int) entry {
			for range n {
				e = e.next(fromReport(probe.Report{}, c.seen, noon), settings)
			}
			return e
		}
		says := func(e entry) string {
			pods := []corev1.Pod{podWithGate(corev1.ConditionTrue, v1alpha1.ReasonProven)}
			got, _ := judge(subjects(pods, map[types.UID]entry{"uid": e}, noon, settings), false)
			return string(got.status) + " " + got.reason
		}
		before := entry{}.next(fromReport(probe.Report{}, proof, noon), settings)
		if got := says(rounds(before, 1)); got != c.first {
			t.Errorf("%s: after one round %s, want %s", name, got, c.first)
		}
		if got := says(rounds(before, settings.FailureThreshold)); got != c.after {
			t.Errorf("%s: after the threshold %s, want %s", name, got, c.after)
		}
		if got, _ := wantedGate(rounds(before, settings.FailureThreshold), false); got != c.gate {
			t.Errorf("%s: the gate of a proven pod is to be %q, want %q", name, got, c.gate)
		}
		if got, _ := wantedGate(rounds(entry{}, settings.FailureThreshold), false); got != c.gate {
			t.Errorf("%s: the gate of a new pod is to be %q, want %q", name, got, c.gate)
		}
	}
}

// A gate that people have set stays, and none is withdrawn while the brake is engaged.
func TestMovesGate(t *testing.T) {
	const byHand = ""
	for name, c := range map[string]struct {
		gate   corev1.ConditionStatus
		reason string
		wanted corev1.ConditionStatus
		braked bool
		want   bool
	}{
		"the first proof":                       {"", "", corev1.ConditionTrue, false, true},
		"one more proof":                        {corev1.ConditionTrue, v1alpha1.ReasonProven, corev1.ConditionTrue, false, false},
		"a proof after it was open":             {corev1.ConditionFalse, v1alpha1.ReasonInvalidTokenAccepted, corev1.ConditionTrue, false, true},
		"a proof takes over what a person set":  {corev1.ConditionTrue, byHand, corev1.ConditionTrue, false, true},
		"open":                                  {corev1.ConditionTrue, v1alpha1.ReasonProven, corev1.ConditionFalse, false, true},
		"open, while the brake is engaged":      {corev1.ConditionTrue, v1alpha1.ReasonProven, corev1.ConditionFalse, true, false},
		"open, and set by hand":                 {corev1.ConditionTrue, byHand, corev1.ConditionFalse, false, false},
		"open, never proven":                    {"", "", corev1.ConditionFalse, false, true},
		"still open":                            {corev1.ConditionFalse, v1alpha1.ReasonInvalidTokenAccepted, corev1.ConditionFalse, false, false},
		"given back while the brake is engaged": {corev1.ConditionFalse, v1alpha1.ReasonInvalidTokenAccepted, corev1.ConditionTrue, true, true},
	} {
		if got := movesGate(podWithGate(c.gate, c.reason), c.wanted, c.braked); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// What the brake gives back is what it would not have taken: a gate that was set by proof, and no other.
func TestGateThatTheBrakeGivesBack(t *testing.T) {
	for name, c := range map[string]struct {
		e      entry
		braked bool
		want   corev1.ConditionStatus
	}{
		"withdrawn before it engaged": {entry{standing: &wideOpen, withdrawn: true}, true, corev1.ConditionTrue},
		"withdrawn, and no brake":     {entry{standing: &wideOpen, withdrawn: true}, false, corev1.ConditionFalse},
		"never proven":                {entry{standing: &wideOpen}, true, corev1.ConditionFalse},
		"broken":                      {entry{standing: &broken, withdrawn: true}, true, ""},
	} {
		if got, _ := wantedGate(c.e, c.braked); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// A pod that starts is not held against its server until its time for that is over, or once it was proven.
func TestYoungPods(t *testing.T) {
	for name, c := range map[string]struct {
		age  time.Duration
		gate corev1.ConditionStatus
		want bool
	}{
		"new":                       {0, "", true},
		"within its time":           {desired.StartBudget - 1, "", true},
		"past it":                   {desired.StartBudget, "", false},
		"proven, as another's work": {0, corev1.ConditionTrue, false},
		"seen open":                 {0, corev1.ConditionFalse, true},
	} {
		pod := podWithGate(c.gate, "")
		pod.CreationTimestamp = metav1.NewTime(noon.Add(-c.age))
		if got := subjects([]corev1.Pod{pod}, nil, noon, desired.Probe{})[0]; got.young != c.want || !got.ready || got.terminating {
			t.Errorf("%s: %+v", name, got)
		}
	}
	ending := podWithGate("", "")
	ending.DeletionTimestamp, ending.Status.Conditions = &metav1.Time{Time: noon}, nil
	if got := subjects([]corev1.Pod{ending}, nil, noon, desired.Probe{})[0]; got.ready || !got.terminating {
		t.Errorf("on its way out: %+v", got)
	}
}

// What is found about the Service decides, unless a pod is worse.
func TestVerdictOnTheService(t *testing.T) {
	finding := &serviceFinding{endpoint: "10.0.0.9", evidence: evidence{reason: v1alpha1.ReasonForeignEndpoint, message: "strange", question: "endpoints"}}
	for name, c := range map[string]struct {
		status metav1.ConditionStatus
		listed int
		want   string
	}{
		"proven pods":          {metav1.ConditionTrue, 0, v1alpha1.ReasonForeignEndpoint},
		"pods that are silent": {metav1.ConditionUnknown, 1, v1alpha1.ReasonForeignEndpoint},
		"an open pod":          {metav1.ConditionFalse, 1, "pods"},
		"a full list":          {metav1.ConditionFalse, maxFailures, "pods"},
	} {
		before := judgement{status: c.status, reason: "pods", message: "of pods", failures: make([]v1alpha1.AuthFailure, c.listed)}
		got := before.against(finding)
		if got.status != metav1.ConditionFalse || got.reason != c.want || (got.message == "strange") != (c.want != "pods") {
			t.Errorf("%s: %s %s: %s", name, got.status, got.reason, got.message)
		}
		if len(got.failures) != min(c.listed+1, maxFailures) || c.listed < maxFailures && got.failures[c.listed].Pod != "10.0.0.9" {
			t.Errorf("%s: %d failures: %v", name, len(got.failures), got.failures)
		}
	}
	if got := (judgement{status: metav1.ConditionTrue, reason: "pods"}).against(nil); got.reason != "pods" || len(got.failures) > 0 {
		t.Errorf("nothing was found: %+v", got)
	}
}
