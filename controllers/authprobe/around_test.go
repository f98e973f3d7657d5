package authprobe

import (
	"context"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/admin"
	"github.com/mcp-gatehouse/gatehouse/internal/probe"
)

func TestLookAround(t *testing.T) {
	var dialled []string
	paid := 0 // one connection is a hundredth of a second
	r := &Reconciler{Now: func() time.Time { return noon }, Jitter: func() float64 { return 0 }, budget: newBudget(100), Dial: func(_ context.Context, _, address string) (net.Conn, error) {
		dialled = append(dialled, address)
		switch {
		case strings.HasSuffix(address, ":1"):
			conn, _ := net.Pipe()
			return conn, nil
		case strings.HasSuffix(address, ":2"):
			return nil, syscall.ECONNREFUSED
		}
		return nil, context.DeadlineExceeded
	}}
	pod := corev1.Pod{Status: corev1.PodStatus{PodIP: "10.0.0.5", PodIPs: []corev1.PodIP{{IP: "10.0.0.5"}, {IP: "fd00::5"}}}}
	on := func(address string, port uint16) admin.State {
		return admin.State{Listeners: []admin.Listener{{Address: address, Port: port}}}
	}
	for name, c := range map[string]struct {
		state  admin.State
		before surroundings
		tier   probe.Tier
		want   string // what is dialled
		open   int
	}{
		"a wildcard at the pod's address": {on("0.0.0.0", 1), surroundings{}, probe.Full, "10.0.0.5:1", 1},
		"an address of the pod as it is":  {on("fd00::5", 2), surroundings{}, probe.Full, "[fd00::5]:2", 0},
		"no address of somebody else":     {on("192.0.2.1", 1), surroundings{}, probe.Full, "10.0.0.5:1", 1},
		"silence is not asked each time":  {on("0.0.0.0", 3), silentSince(noon.Add(-time.Minute + 1)), probe.Beat, "", 0},
		"but after a minute":              {on("0.0.0.0", 3), silentSince(noon.Add(-time.Minute)), probe.Beat, "10.0.0.5:3", 0},
		"and in a full round":             {on("0.0.0.0", 3), silentSince(noon), probe.Full, "10.0.0.5:3", 0},
		"what is new is asked":            {on("0.0.0.0", 3), surroundings{known: true, looked: noon}, probe.Beat, "10.0.0.5:3", 0},
	} {
		dialled = nil
		got := r.lookAround(t.Context(), pod, c.state, c.before, c.tier)
		paid += len(dialled)
		if len(got.open()) > 0 || got.bypass(noon) != nil || got.recheck().IsZero() != (c.open == 0) {
			t.Errorf("%s: open by one connection: %v, to be dialled again at %v", name, got.open(), got.recheck())
		}
		for at, since := range got.reached { // as if it had been reached for long enough
			got.reached[at] = since.Add(-reachGrace)
		}
		if strings.Join(dialled, ",") != c.want || len(got.open()) != c.open || (got.bypass(noon) != nil) != (c.open > 0) {
			t.Errorf("%s: dialled %v, open %v", name, dialled, got.open())
		}
	}
	if wait := r.budget.take(100, noon); wait != time.Duration(paid)*10*time.Millisecond {
		t.Errorf("after %d connections the next round waits %v", paid, wait)
	}
	meshed := pod
	meshed.Spec.InitContainers = []corev1.Container{{Name: "istio-proxy"}}
	dialled = nil
	if got := r.lookAround(t.Context(), meshed, on("0.0.0.0", 1), surroundings{}, probe.Full); len(dialled) > 0 || got.note() == "" {
		t.Errorf("behind a mesh proxy: dialled %v, note %q", dialled, got.note())
	}
}

func silentSince(at time.Time) surroundings {
	return surroundings{known: true, looked: at, listeners: map[string]reach{"0.0.0.0:3": dialSilent}}
}

func TestVerdictBesideTheGate(t *testing.T) {
	reset := broken
	reset.cut = true
	way := surroundings{listeners: map[string]reach{"0.0.0.0:8000": dialAccepted}}.bypass(noon)
	pod := func(e *evidence, mesh bool, bypass *evidence) subject {
		return subject{pod: "a", ready: true, standing: e, mesh: mesh, bypass: bypass}
	}
	for name, c := range map[string]struct {
		pods   []subject
		status metav1.ConditionStatus
		reason string
		proven int
	}{
		"a way past a proven gate":          {[]subject{pod(&good, false, way)}, metav1.ConditionFalse, v1alpha1.ReasonBypassReachable, 1},
		"a way past a gate without server":  {[]subject{pod(&down, false, way)}, metav1.ConditionFalse, v1alpha1.ReasonBypassReachable, 0},
		"an open gate is worse":             {[]subject{pod(&wideOpen, false, way)}, metav1.ConditionFalse, v1alpha1.ReasonUnauthenticatedAccepted, 0},
		"a way past an ending pod":          {[]subject{pod(&good, false, nil), {pod: "b", terminating: true, standing: &good, bypass: way}}, metav1.ConditionFalse, v1alpha1.ReasonBypassReachable, 2},
		"reset by all mesh proxies":         {[]subject{pod(&reset, true, nil), pod(&reset, true, nil)}, metav1.ConditionUnknown, v1alpha1.ReasonMeshInTheWay, 0},
		"and well where there is none":      {[]subject{pod(&reset, true, nil), pod(&good, false, nil)}, metav1.ConditionUnknown, v1alpha1.ReasonMeshInTheWay, 1},
		"reset by one of two mesh proxies":  {[]subject{pod(&reset, true, nil), pod(&good, true, nil)}, metav1.ConditionFalse, v1alpha1.ReasonConnectionReset, 1},
		"reset where there is no proxy":     {[]subject{pod(&reset, false, nil)}, metav1.ConditionFalse, v1alpha1.ReasonConnectionReset, 0},
		"open behind a mesh proxy":          {[]subject{pod(&wideOpen, true, nil), pod(&reset, true, nil)}, metav1.ConditionFalse, v1alpha1.ReasonUnauthenticatedAccepted, 0},
		"broken in a way no mesh would be":  {[]subject{pod(&broken, true, nil)}, metav1.ConditionFalse, v1alpha1.ReasonConnectionReset, 0},
		"a gate that is not yet convergent": {[]subject{pod(&evidence{grade: unknown, reason: v1alpha1.ReasonGateNotConverged}, false, nil)}, metav1.ConditionUnknown, v1alpha1.ReasonGateNotConverged, 0},
	} {
		got, _ := judge(c.pods, false)
		if got.status != c.status || got.reason != c.reason || got.provenPods != c.proven {
			t.Errorf("%s: got %s/%s, %d proven, want %s/%s, %d", name, got.status, got.reason, got.provenPods, c.status, c.reason, c.proven)
		}
	}
}

func TestStrays(t *testing.T) {
	pod := func(name, ip string, gate corev1.ConditionStatus) corev1.Pod {
		p := corev1.Pod{Status: corev1.PodStatus{PodIP: ip, PodIPs: []corev1.PodIP{{IP: ip}}}}
		p.Name = name
		p.Spec.ReadinessGates = []corev1.PodReadinessGate{{ConditionType: v1alpha1.ConditionPodAuthProven}}
		p.Status.Conditions = []corev1.PodCondition{{Type: v1alpha1.ConditionPodAuthProven, Status: gate}}
		return p
	}
	free := pod("free", "10.0.0.3", corev1.ConditionFalse)
	free.Spec.ReadinessGates = nil
	pods := []corev1.Pod{pod("proven", "10.0.0.1", corev1.ConditionTrue), pod("held", "10.0.0.2", corev1.ConditionFalse), free}
	for address, c := range map[string]struct {
		ready *bool
		want  string
	}{
		"10.0.0.1": {nil, ""}, "10.0.0.2": {nil, "pod held"}, "10.0.0.3": {nil, ""},
		"10.0.0.4": {nil, "no pod of this server"}, "10.0.0.5": {ptr.To(false), ""},
	} {
		slice := discoveryv1.EndpointSlice{Endpoints: []discoveryv1.Endpoint{{Addresses: []string{address}, Conditions: discoveryv1.EndpointConditions{Ready: c.ready}}}}
		found := strays([]discoveryv1.EndpointSlice{slice}, pods)
		if (len(found) == 1) != (c.want != "") || len(found) == 1 && !strings.Contains(found[0].what, c.want) {
			t.Errorf("%s: %v", address, found)
		}
		since := persisting(nil, found, noon)
		if foreign(found, since, noon) != nil {
			t.Errorf("%s counts at once", address)
		}
		later := noon.Add(endpointGrace)
		if got := foreign(found, persisting(since, found, later), later); (got != nil) != (c.want != "") {
			t.Errorf("%s after the time of grace: %v", address, got)
		}
	}
}

// What a full round found must not be refuted by a beat, which does not ask for it.
func TestTier(t *testing.T) {
	seen := func(tier probe.Tier, e evidence) observation {
		e.at = noon
		return observation{evidence: e, tier: tier, basis: "b"}
	}
	for name, c := range map[string]struct {
		rounds []observation
		basis  string
		after  time.Duration
		want   probe.Tier
	}{
		"a new pod":                       {nil, "b", 0, probe.Full},
		"everything was seen":             {[]observation{seen(probe.Full, good)}, "b", time.Minute, probe.Beat},
		"long ago":                        {[]observation{seen(probe.Full, good)}, "b", 16 * time.Minute, probe.Full},
		"of something else":               {[]observation{seen(probe.Full, good)}, "c", time.Minute, probe.Full},
		"a beat proves no more than that": {[]observation{seen(probe.Beat, good)}, "b", 0, probe.Full},
		"a full round that failed":        {[]observation{seen(probe.Full, good), seen(probe.Full, broken)}, "b", 0, probe.Full},
		"a beat that found it open":       {[]observation{seen(probe.Full, good), seen(probe.Beat, wideOpen)}, "b", 0, probe.Full},
		"a server that was down":          {[]observation{seen(probe.Full, good), seen(probe.Beat, down)}, "b", 0, probe.Beat},
	} {
		var e entry
		for _, o := range c.rounds {
			e.full = e.full.renewed(o, 0.5)
		}
		if got := e.tier(c.basis, noon.Add(c.after)); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}
