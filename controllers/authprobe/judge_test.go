package authprobe

import (
	"context"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/probe"
)

var (
	good     = evidence{grade: proven, reason: v1alpha1.ReasonProven}
	wideOpen = evidence{grade: open, reason: v1alpha1.ReasonUnauthenticatedAccepted, message: "let in", question: "none", expected: "401", seen: "200"}
	broken   = evidence{grade: failed, reason: v1alpha1.ReasonConnectionReset, message: "reset"}
	bypassed = evidence{grade: failed, reason: v1alpha1.ReasonBypassReachable, message: "reached"}
	down     = evidence{grade: unknown, reason: v1alpha1.ReasonUpstreamUnavailable, message: "502"}
)

func TestJudge(t *testing.T) {
	ready := func(pod string, e *evidence) subject { return subject{pod: pod, ready: true, standing: e} }
	unready := func(pod string, e *evidence) subject { return subject{pod: pod, standing: e} }
	young := func(pod string, e *evidence) subject { return subject{pod: pod, young: true, standing: e} }
	ending := func(pod string, e *evidence) subject {
		return subject{pod: pod, ready: true, terminating: true, standing: e}
	}
	cases := map[string]struct {
		pods   []subject
		parked bool
		status metav1.ConditionStatus
		reason string
		keep   bool
	}{
		"all proven":                            {[]subject{ready("a", &good), ready("b", &good)}, false, metav1.ConditionTrue, v1alpha1.ReasonProven, false},
		"one open among proven":                 {[]subject{ready("a", &good), ready("b", &wideOpen)}, false, metav1.ConditionFalse, v1alpha1.ReasonUnauthenticatedAccepted, false},
		"an ending pod that is open":            {[]subject{ready("a", &good), ending("b", &wideOpen)}, false, metav1.ConditionFalse, v1alpha1.ReasonUnauthenticatedAccepted, false},
		"an open pod that is not ready":         {[]subject{ready("a", &good), unready("b", &wideOpen)}, false, metav1.ConditionFalse, v1alpha1.ReasonUnauthenticatedAccepted, false},
		"open beats broken":                     {[]subject{ready("a", &broken), ready("b", &wideOpen)}, false, metav1.ConditionFalse, v1alpha1.ReasonUnauthenticatedAccepted, false},
		"broken beats unknown":                  {[]subject{ready("a", &down), ready("b", &broken)}, false, metav1.ConditionFalse, v1alpha1.ReasonConnectionReset, false},
		"server down behind a ready gate":       {[]subject{ready("a", &good), ready("b", &down)}, false, metav1.ConditionUnknown, v1alpha1.ReasonUpstreamUnavailable, false},
		"server down in a pod without traffic":  {[]subject{ready("a", &good), unready("b", &down)}, false, metav1.ConditionTrue, v1alpha1.ReasonProven, false},
		"server down in the only pod":           {[]subject{unready("a", &down)}, false, metav1.ConditionUnknown, v1alpha1.ReasonUpstreamUnavailable, false},
		"an ending pod that is broken":          {[]subject{ready("a", &good), ending("b", &broken)}, false, metav1.ConditionTrue, v1alpha1.ReasonProven, false},
		"a young pod beside proven ones":        {[]subject{ready("a", &good), young("b", nil)}, false, metav1.ConditionTrue, v1alpha1.ReasonProven, false},
		"only a young pod":                      {[]subject{young("a", nil)}, false, metav1.ConditionUnknown, v1alpha1.ReasonNotYetProbed, false},
		"no pod":                                {nil, false, metav1.ConditionUnknown, v1alpha1.ReasonNoPods, false},
		"parked":                                {nil, true, metav1.ConditionUnknown, v1alpha1.ReasonScaledToZero, false},
		"parked, and a pod that ends is proven": {[]subject{ending("a", &good)}, true, metav1.ConditionUnknown, v1alpha1.ReasonScaledToZero, false},
		"parked, and one that ends is broken":   {[]subject{ending("a", &broken)}, true, metav1.ConditionUnknown, v1alpha1.ReasonScaledToZero, false},
		"parked, and one that ends is open":     {[]subject{ending("a", &good), ending("b", &wideOpen)}, true, metav1.ConditionFalse, v1alpha1.ReasonUnauthenticatedAccepted, false},
		"parked, and one can be entered":        {[]subject{{pod: "a", terminating: true, standing: &good, bypass: &bypassed}}, true, metav1.ConditionFalse, v1alpha1.ReasonBypassReachable, false},
		"not tried since the operator started":  {[]subject{ready("a", nil)}, false, "", "", true},
		"some not tried since, the rest proven": {[]subject{ready("a", &good), ready("b", nil)}, false, metav1.ConditionTrue, v1alpha1.ReasonProven, true},
		"some not tried since, one open":        {[]subject{ready("a", &wideOpen), ready("b", nil)}, false, metav1.ConditionFalse, v1alpha1.ReasonUnauthenticatedAccepted, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got, keep := judge(c.pods, c.parked)
			if got.status != c.status || got.reason != c.reason || keep != c.keep {
				t.Errorf("got %s/%s keep=%v, want %s/%s keep=%v", got.status, got.reason, keep, c.status, c.reason, c.keep)
			}
		})
	}
}

// A pod that does not begin to serve is told of while others do; not before it is late, and not where something is worse.
func TestLatePodsAreTold(t *testing.T) {
	ready, unready := subject{pod: "a", ready: true, standing: &good}, subject{pod: "c", standing: &down}
	young, other, open := unready, unready, subject{pod: "o", ready: true, standing: &wideOpen}
	young.young, other.pod = true, "b"
	for name, c := range map[string]struct {
		pods []subject
		want string
	}{
		"none":               {[]subject{ready}, ""},
		"young":              {[]subject{ready, young}, ""},
		"late":               {[]subject{ready, unready}, " Pod c takes no traffic: 502"},
		"two":                {[]subject{ready, unready, other}, " Pod b takes no traffic: 502 1 more take none either."},
		"not yet ready":      {[]subject{ready, {pod: "d", standing: &good}}, ""},
		"beside an open one": {[]subject{open, unready}, ""},
	} {
		got, _ := judge(c.pods, false)
		if _, told, _ := strings.Cut(got.message, "let the good one in."); got.status == metav1.ConditionTrue && told != c.want || strings.Contains(got.message, "no traffic") != (c.want != "") {
			t.Errorf("%s: %q", name, got.message)
		}
	}
}

func TestVerdictNamesPodAndCase(t *testing.T) {
	var pods []subject
	for _, name := range []string{"c", "b", "a"} {
		pods = append(pods, subject{pod: name, ready: true, standing: &wideOpen})
	}
	got, _ := judge(append(pods, subject{pod: "z", ready: true, standing: &good}), false)
	if got.pods != 4 || got.provenPods != 1 || len(got.failures) != 3 {
		t.Fatalf("got %+v", got)
	}
	if first := got.failures[0]; first != (v1alpha1.AuthFailure{Pod: "a", Case: "none", Expected: "401", Seen: "200"}) {
		t.Errorf("first failure: %+v", first)
	}
	if !strings.HasPrefix(got.message, "Pod a: let in") || !strings.Contains(got.message, "2 more of 4") {
		t.Errorf("message: %s", got.message)
	}
	for range 20 {
		pods = append(pods, subject{pod: "x", ready: true, standing: &broken})
	}
	if got, _ := judge(pods, false); len(got.failures) != maxFailures {
		t.Errorf("%d failures listed, want %d", len(got.failures), maxFailures)
	}
}

func TestThresholds(t *testing.T) {
	settings := desired.Probe{Interval: 30 * time.Second, FailureThreshold: 3, SuccessThreshold: 2}
	play := func(rounds ...evidence) string {
		var e entry
		for _, seen := range rounds {
			e = e.next(seen, settings)
		}
		if e.standing == nil {
			return "nothing"
		}
		return e.standing.reason
	}
	for name, c := range map[string]struct {
		rounds []evidence
		want   string
	}{
		"first proof counts at once":                {[]evidence{good}, v1alpha1.ReasonProven},
		"two failures do not":                       {[]evidence{good, broken, broken}, v1alpha1.ReasonProven},
		"three do":                                  {[]evidence{good, broken, broken, broken}, v1alpha1.ReasonConnectionReset},
		"three in a row, that is":                   {[]evidence{good, broken, broken, good, broken, broken}, v1alpha1.ReasonProven},
		"of different kinds as well":                {[]evidence{good, broken, down, down}, v1alpha1.ReasonUpstreamUnavailable},
		"open counts at once":                       {[]evidence{good, wideOpen}, v1alpha1.ReasonUnauthenticatedAccepted},
		"one good round does not mend it":           {[]evidence{good, wideOpen, good}, v1alpha1.ReasonUnauthenticatedAccepted},
		"two that do not follow each other neither": {[]evidence{good, wideOpen, good, down, good}, v1alpha1.ReasonUnauthenticatedAccepted},
		"a hiccup does not end it":                  {[]evidence{good, wideOpen, wideOpen, down}, v1alpha1.ReasonUnauthenticatedAccepted},
		"nor do two of them":                        {[]evidence{good, wideOpen, down, down, wideOpen, down, down}, v1alpha1.ReasonUnauthenticatedAccepted},
		"three that prove nothing do":               {[]evidence{good, wideOpen, down, down, down}, v1alpha1.ReasonUpstreamUnavailable},
		"nor does a hiccup end a failure":           {[]evidence{good, broken, broken, broken, down}, v1alpha1.ReasonConnectionReset},
		"two do":                                    {[]evidence{good, wideOpen, good, good}, v1alpha1.ReasonProven},
		"nothing stands before the threshold":       {[]evidence{broken, broken}, "nothing"},
		"a pod that fails from the start is known":  {[]evidence{down, down, down}, v1alpha1.ReasonUpstreamUnavailable},
	} {
		if got := play(c.rounds...); got != c.want {
			t.Errorf("%s: %s stands, want %s", name, got, c.want)
		}
	}
}

func TestDelay(t *testing.T) {
	settings := desired.Probe{Interval: 10 * time.Second}
	if got := (entry{standing: &good}).delay(settings, 0); got != 9500*time.Millisecond {
		t.Errorf("proven, least jitter: %v", got)
	}
	if got := (entry{standing: &good}).delay(settings, 0.9999); got < 10*time.Second || got > 10500*time.Millisecond {
		t.Errorf("proven, most jitter: %v", got)
	}
	for rounds, want := range map[int]time.Duration{0: time.Second, 1: 2 * time.Second, 3: 8 * time.Second, 4: 10 * time.Second, 1000: 10 * time.Second} {
		if got := (entry{rounds: rounds}).delay(settings, 0); got != want {
			t.Errorf("unproven after %d rounds: %v, want %v", rounds, got, want)
		}
	}
}

// keyless is an API server without Secrets.
type keyless struct{ client.Client }

func (keyless) Get(_ context.Context, key client.ObjectKey, _ client.Object, _ ...client.GetOption) error {
	return apierrors.NewNotFound(corev1.Resource("secrets"), key.Name)
}

// What cannot be tried must be looked at again, and not at once: nothing but time brings us back.
func TestPodThatCannotBeTriedIsPutOff(t *testing.T) {
	now := time.Unix(1e9, 0)
	running := corev1.PodStatus{PodIP: "10.0.0.1", InitContainerStatuses: []corev1.ContainerStatus{{
		Name: desired.GateContainer, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}},
	}}}
	for name, c := range map[string]struct {
		status corev1.PodStatus
		before map[types.UID]entry
	}{
		"no keys, tried before": {running, map[types.UID]entry{"u": {standing: &good, due: now.Add(-time.Second)}}},
		"no keys, never tried":  {running, nil},
		"its gate has crashed":  {corev1.PodStatus{PodIP: "10.0.0.1"}, map[types.UID]entry{"u": {standing: &good, due: now}}},
	} {
		server := &v1alpha1.MCPServer{ObjectMeta: metav1.ObjectMeta{Namespace: "n", Name: "x"}}
		r := &Reconciler{Client: keyless{}, Now: func() time.Time { return now }, Jitter: func() float64 { return 0 }}
		pods := []corev1.Pod{{ObjectMeta: metav1.ObjectMeta{UID: "u"}, Status: c.status}}
		use, err := r.credentials(t.Context(), server)
		if err != nil {
			t.Fatal(err)
		}
		entries := r.tryDue(t.Context(), server, pods, c.before, use)
		if wait := r.untilDue(entries, pods, now.Add(time.Hour), desired.Resolve(server).Probe.Interval); wait < time.Second || wait > time.Minute {
			t.Errorf("%s: looked at again after %v", name, wait)
		}
	}
}

func TestGateFollowsProofAndOpennessOnly(t *testing.T) {
	for name, c := range map[string]struct {
		standing *evidence
		want     string
	}{
		"nothing": {nil, ""}, "proven": {&good, "True"}, "open": {&wideOpen, "False"}, "broken": {&broken, ""}, "unknown": {&down, ""},
	} {
		status, decided := wantedGate(entry{standing: c.standing}, false)
		if string(status) != c.want || decided != (c.want != "") {
			t.Errorf("%s: got %q, %v", name, status, decided)
		}
	}
}

// Every kind and outcome of the prober has its reason; those that let somebody in are open, and nothing else is.
func TestClassify(t *testing.T) {
	for _, kind := range probe.Kinds() {
		for _, question := range []probe.Case{probe.NoToken, probe.WrongKey} {
			got, reason := classify(probe.Verdict{Kind: kind, Case: question, Outcome: probe.Reset})
			if (got == open) != (kind == probe.Open) || (got == proven) != (kind == probe.Locked) || reason == "" {
				t.Errorf("%s, %s: grade %d, reason %q", kind, question, got, reason)
			}
		}
	}
	for outcome, want := range map[probe.Outcome]string{
		probe.Reset: v1alpha1.ReasonConnectionReset, probe.ClosedWithoutAnswer: v1alpha1.ReasonConnectionClosed,
		probe.Timeout: v1alpha1.ReasonProbeTimeout, probe.NotHTTP: v1alpha1.ReasonNotHTTP, probe.TLS: v1alpha1.ReasonNotHTTP,
		probe.Truncated: v1alpha1.ReasonTruncatedResponse, probe.WrongReason: v1alpha1.ReasonWrongAnswer,
		probe.MissingChallenge: v1alpha1.ReasonWrongAnswer,
	} {
		if _, got := classify(probe.Verdict{Kind: probe.Broken, Outcome: outcome}); got != want {
			t.Errorf("%s: reason %s, want %s", outcome, got, want)
		}
	}
	for url, want := range map[string]string{"https://gate": v1alpha1.ReasonTLSNotServed, "http://gate": v1alpha1.ReasonNotHTTP} {
		if got := fromReport(probe.Report{URL: url}, probe.Verdict{Kind: probe.Broken, Outcome: probe.TLS}, time.Now()); got.reason != want || got.grade != failed {
			t.Errorf("of %s: reason %s, want %s", url, got.reason, want)
		}
	}
	if _, got := classify(probe.Verdict{Kind: probe.Open, Case: probe.WrongKey}); got != v1alpha1.ReasonInvalidTokenAccepted {
		t.Errorf("an accepted token of a foreign key: %s", got)
	}
}
