package authhealth

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
)

func TestJudge(t *testing.T) {
	ready := func(pod string, e *Evidence) Subject { return Subject{Pod: pod, Ready: true, Standing: e} }
	unready := func(pod string, e *Evidence) Subject { return Subject{Pod: pod, Standing: e} }
	young := func(pod string, e *Evidence) Subject { return Subject{Pod: pod, young: true, Standing: e} }
	ending := func(pod string, e *Evidence) Subject {
		return Subject{Pod: pod, Ready: true, terminating: true, Standing: e}
	}
	cases := map[string]struct {
		pods   []Subject
		parked bool
		status metav1.ConditionStatus
		reason string
		keep   bool
	}{
		"all proven":                            {[]Subject{ready("a", &good), ready("b", &good)}, false, metav1.ConditionTrue, v1alpha1.ReasonProven, false},
		"one open among proven":                 {[]Subject{ready("a", &good), ready("b", &wideOpen)}, false, metav1.ConditionFalse, v1alpha1.ReasonUnauthenticatedAccepted, false},
		"an ending pod that is open":            {[]Subject{ready("a", &good), ending("b", &wideOpen)}, false, metav1.ConditionFalse, v1alpha1.ReasonUnauthenticatedAccepted, false},
		"an open pod that is not ready":         {[]Subject{ready("a", &good), unready("b", &wideOpen)}, false, metav1.ConditionFalse, v1alpha1.ReasonUnauthenticatedAccepted, false},
		"open beats broken":                     {[]Subject{ready("a", &broken), ready("b", &wideOpen)}, false, metav1.ConditionFalse, v1alpha1.ReasonUnauthenticatedAccepted, false},
		"broken beats unknown":                  {[]Subject{ready("a", &down), ready("b", &broken)}, false, metav1.ConditionFalse, v1alpha1.ReasonConnectionReset, false},
		"server down behind a ready gate":       {[]Subject{ready("a", &good), ready("b", &down)}, false, metav1.ConditionUnknown, v1alpha1.ReasonUpstreamUnavailable, false},
		"server down in a pod without traffic":  {[]Subject{ready("a", &good), unready("b", &down)}, false, metav1.ConditionTrue, v1alpha1.ReasonProven, false},
		"server down in the only pod":           {[]Subject{unready("a", &down)}, false, metav1.ConditionUnknown, v1alpha1.ReasonUpstreamUnavailable, false},
		"an ending pod that is broken":          {[]Subject{ready("a", &good), ending("b", &broken)}, false, metav1.ConditionTrue, v1alpha1.ReasonProven, false},
		"a young pod beside proven ones":        {[]Subject{ready("a", &good), young("b", nil)}, false, metav1.ConditionTrue, v1alpha1.ReasonProven, false},
		"only a young pod":                      {[]Subject{young("a", nil)}, false, metav1.ConditionUnknown, v1alpha1.ReasonNotYetProbed, false},
		"no pod":                                {nil, false, metav1.ConditionUnknown, v1alpha1.ReasonNoPods, false},
		"parked":                                {nil, true, metav1.ConditionUnknown, v1alpha1.ReasonScaledToZero, false},
		"parked, and a pod that ends is proven": {[]Subject{ending("a", &good)}, true, metav1.ConditionUnknown, v1alpha1.ReasonScaledToZero, false},
		"parked, and one that ends is broken":   {[]Subject{ending("a", &broken)}, true, metav1.ConditionUnknown, v1alpha1.ReasonScaledToZero, false},
		"parked, and one that ends is open":     {[]Subject{ending("a", &good), ending("b", &wideOpen)}, true, metav1.ConditionFalse, v1alpha1.ReasonUnauthenticatedAccepted, false},
		"parked, and one can be entered":        {[]Subject{{Pod: "a", terminating: true, Standing: &good, Bypass: &bypassed}}, true, metav1.ConditionFalse, v1alpha1.ReasonBypassReachable, false},
		"not tried since the operator started":  {[]Subject{ready("a", nil)}, false, "", "", true},
		"some not tried since, the rest proven": {[]Subject{ready("a", &good), ready("b", nil)}, false, metav1.ConditionTrue, v1alpha1.ReasonProven, true},
		"some not tried since, one open":        {[]Subject{ready("a", &wideOpen), ready("b", nil)}, false, metav1.ConditionFalse, v1alpha1.ReasonUnauthenticatedAccepted, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got, keep := Judge(c.pods, c.parked)
			if got.Status != c.status || got.Reason != c.reason || keep != c.keep {
				t.Errorf("got %s/%s keep=%v, want %s/%s keep=%v", got.Status, got.Reason, keep, c.status, c.reason, c.keep)
			}
		})
	}
}

// A pod that does not begin to serve is told of while others do; not before it is late, and not where something is worse.
func TestLatePodsAreTold(t *testing.T) {
	ready, unready := Subject{Pod: "a", Ready: true, Standing: &good}, Subject{Pod: "c", Standing: &down}
	young, other, open := unready, unready, Subject{Pod: "o", Ready: true, Standing: &wideOpen}
	young.young, other.Pod = true, "b"
	for name, c := range map[string]struct {
		pods []Subject
		want string
	}{
		"none":               {[]Subject{ready}, ""},
		"young":              {[]Subject{ready, young}, ""},
		"late":               {[]Subject{ready, unready}, " Pod c takes no traffic: 502"},
		"two":                {[]Subject{ready, unready, other}, " Pod b takes no traffic: 502 1 more take none either."},
		"not yet ready":      {[]Subject{ready, {Pod: "d", Standing: &good}}, ""},
		"beside an open one": {[]Subject{open, unready}, ""},
	} {
		got, _ := Judge(c.pods, false)
		if _, told, _ := strings.Cut(got.Message, "let the good one in."); got.Status == metav1.ConditionTrue && told != c.want || strings.Contains(got.Message, "no traffic") != (c.want != "") {
			t.Errorf("%s: %q", name, got.Message)
		}
	}
}

func TestVerdictNamesPodAndCase(t *testing.T) {
	var pods []Subject
	for _, name := range []string{"c", "b", "a"} {
		pods = append(pods, Subject{Pod: name, Ready: true, Standing: &wideOpen})
	}
	got, _ := Judge(append(pods, Subject{Pod: "z", Ready: true, Standing: &good}), false)
	if got.Pods != 4 || got.ProvenPods != 1 || len(got.Failures) != 3 {
		t.Fatalf("got %+v", got)
	}
	if first := got.Failures[0]; first != (v1alpha1.AuthFailure{Pod: "a", Case: "none", Expected: "401", Seen: "200"}) {
		t.Errorf("first failure: %+v", first)
	}
	if !strings.HasPrefix(got.Message, "Pod a: let in") || !strings.Contains(got.Message, "2 more of 4") {
		t.Errorf("message: %s", got.Message)
	}
	for range 20 {
		pods = append(pods, Subject{Pod: "x", Ready: true, Standing: &broken})
	}
	if got, _ := Judge(pods, false); len(got.Failures) != maxFailures {
		t.Errorf("%d failures listed, want %d", len(got.Failures), maxFailures)
	}
}

func TestVerdictBesideTheGate(t *testing.T) {
	reset := broken
	reset.Cut = true
	way := Exposure{Listeners: map[string]Reach{"0.0.0.0:8000": DialAccepted}}.Bypass(noon)
	pod := func(e *Evidence, mesh bool, bypass *Evidence) Subject {
		return Subject{Pod: "a", Ready: true, Standing: e, mesh: mesh, Bypass: bypass}
	}
	for name, c := range map[string]struct {
		pods   []Subject
		status metav1.ConditionStatus
		reason string
		proven int
	}{
		"a way past a proven gate":          {[]Subject{pod(&good, false, way)}, metav1.ConditionFalse, v1alpha1.ReasonBypassReachable, 1},
		"a way past a gate without server":  {[]Subject{pod(&down, false, way)}, metav1.ConditionFalse, v1alpha1.ReasonBypassReachable, 0},
		"an open gate is worse":             {[]Subject{pod(&wideOpen, false, way)}, metav1.ConditionFalse, v1alpha1.ReasonUnauthenticatedAccepted, 0},
		"a way past an ending pod":          {[]Subject{pod(&good, false, nil), {Pod: "b", terminating: true, Standing: &good, Bypass: way}}, metav1.ConditionFalse, v1alpha1.ReasonBypassReachable, 2},
		"reset by all mesh proxies":         {[]Subject{pod(&reset, true, nil), pod(&reset, true, nil)}, metav1.ConditionUnknown, v1alpha1.ReasonServiceMeshBlocked, 0},
		"and well where there is none":      {[]Subject{pod(&reset, true, nil), pod(&good, false, nil)}, metav1.ConditionUnknown, v1alpha1.ReasonServiceMeshBlocked, 1},
		"reset by one of two mesh proxies":  {[]Subject{pod(&reset, true, nil), pod(&good, true, nil)}, metav1.ConditionFalse, v1alpha1.ReasonConnectionReset, 1},
		"reset where there is no proxy":     {[]Subject{pod(&reset, false, nil)}, metav1.ConditionFalse, v1alpha1.ReasonConnectionReset, 0},
		"open behind a mesh proxy":          {[]Subject{pod(&wideOpen, true, nil), pod(&reset, true, nil)}, metav1.ConditionFalse, v1alpha1.ReasonUnauthenticatedAccepted, 0},
		"broken in a way no mesh would be":  {[]Subject{pod(&broken, true, nil)}, metav1.ConditionFalse, v1alpha1.ReasonConnectionReset, 0},
		"a gate that is not yet convergent": {[]Subject{pod(&Evidence{Grade: Unknown, Reason: v1alpha1.ReasonGateNotConverged}, false, nil)}, metav1.ConditionUnknown, v1alpha1.ReasonGateNotConverged, 0},
	} {
		got, _ := Judge(c.pods, false)
		if got.Status != c.status || got.Reason != c.reason || got.ProvenPods != c.proven {
			t.Errorf("%s: got %s/%s, %d proven, want %s/%s, %d", name, got.Status, got.Reason, got.ProvenPods, c.status, c.reason, c.proven)
		}
	}
}
