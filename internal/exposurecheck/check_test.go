package exposurecheck

import (
	"strings"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/authhealth"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/admin"
	"github.com/mcp-gatehouse/gatehouse/internal/probe"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func TestCheckDialsWhatTheGateLists(t *testing.T) {
	paid := 0 // one connection is a hundredth of a second
	net := &network{ports: map[string][]error{"1": {nil}, "2": {syscall.ECONNREFUSED}, "9090": {nil}, "": {errSilent}}}
	check, pod := net.check(func() time.Time { return noon }), gated()
	on := func(address string, port uint16) admin.State {
		return admin.State{Listeners: []admin.Listener{{Address: address, Port: port}}}
	}
	for name, c := range map[string]struct {
		state  admin.State
		before authhealth.Exposure
		tier   probe.Tier
		want   string // what is dialled
		open   int
	}{
		"a wildcard at the pod's address": {on("0.0.0.0", 1), authhealth.Exposure{}, probe.Full, "10.0.0.5:1", 1},
		"an address of the pod as it is":  {on("fd00::5", 2), authhealth.Exposure{}, probe.Full, "[fd00::5]:2", 0},
		"no address of somebody else":     {on("192.0.2.1", 1), authhealth.Exposure{}, probe.Full, "10.0.0.5:1", 1},
		"silence is not asked each time":  {on("0.0.0.0", 3), silentSince(noon.Add(-time.Minute + 1)), probe.Quick, "", 0},
		"but after a minute":              {on("0.0.0.0", 3), silentSince(noon.Add(-time.Minute)), probe.Quick, "10.0.0.5:3 10.0.0.5:3 10.0.0.5:9090", 0},
		"and in a full round":             {on("0.0.0.0", 3), silentSince(noon), probe.Full, "10.0.0.5:3 10.0.0.5:3 10.0.0.5:9090", 0},
		"what is new is asked":            {on("0.0.0.0", 3), authhealth.Exposure{Known: true, Looked: noon}, probe.Quick, "10.0.0.5:3 10.0.0.5:3 10.0.0.5:9090", 0},
	} {
		got := check.Run(t.Context(), pod, c.state, c.before, c.tier)
		dialled := net.taken()
		paid += len(dialled)
		if len(got.OpenListeners()) > 0 || got.Bypass(noon) != nil || got.Recheck().IsZero() != (c.open == 0) {
			t.Errorf("%s: open by one connection: %v, to be dialled again at %v", name, got.OpenListeners(), got.Recheck())
		}
		for at, since := range got.Reached { // as if it had been reached for long enough
			got.Reached[at] = since.Add(-authhealth.ReachGrace)
		}
		if strings.Join(dialled, " ") != c.want || len(got.OpenListeners()) != c.open || (got.Bypass(noon) != nil) != (c.open > 0) {
			t.Errorf("%s: dialled %v, open %v", name, dialled, got.OpenListeners())
		}
	}
	if wait := check.Budget.Take(100, noon); wait != time.Duration(paid)*10*time.Millisecond {
		t.Errorf("after %d connections the next round waits %v", paid, wait)
	}
	meshed := pod
	meshed.Spec.InitContainers = []corev1.Container{{Name: "istio-proxy"}}
	if got := check.Run(t.Context(), meshed, on("0.0.0.0", 1), authhealth.Exposure{}, probe.Full); len(net.dialled) > 0 || got.Note() == "" {
		t.Errorf("behind a mesh proxy: dialled %v, note %q", net.dialled, got.Note())
	}
}

func silentSince(at time.Time) authhealth.Exposure {
	return authhealth.Exposure{Known: true, Looked: at, Listeners: map[string]authhealth.Reach{"0.0.0.0:3": authhealth.DialSilent}}
}

// TestReachedForAMoment: while a policy is being put in place, or the plugin that enforces it restarts, ports are reached that
// are shielded a moment later. Only what is reached for ReachGrace counts.
func TestReachedForAMoment(t *testing.T) {
	now, net := noon, &network{ports: map[string][]error{"9090": {nil}}}
	check, pod := net.check(func() time.Time { return now }), gated()
	state := admin.State{CanaryPort: 9, Listeners: []admin.Listener{{Address: "0.0.0.0", Port: 8000}}}
	var seen authhealth.Exposure
	for i, step := range []struct {
		after  time.Duration
		open   bool
		policy v1alpha1.NetworkPolicyEnforcement
		bypass bool
	}{
		{0, true, v1alpha1.NetworkPolicyUnknown, false},
		{authhealth.ReachGrace - 1, true, v1alpha1.NetworkPolicyUnknown, false},
		{time.Second, false, v1alpha1.NetworkPolicyEnforced, false}, // the policy is in force
		{time.Minute, true, v1alpha1.NetworkPolicyEnforced, false},  // its plugin restarts
		{10 * time.Second, false, v1alpha1.NetworkPolicyEnforced, false},
		{time.Minute, true, v1alpha1.NetworkPolicyEnforced, false}, // it is gone
		{authhealth.ReachGrace, true, v1alpha1.NetworkPolicyNotEnforced, true},
		{30 * time.Second, true, v1alpha1.NetworkPolicyNotEnforced, true},
		{time.Minute, false, v1alpha1.NetworkPolicyEnforced, false},
	} {
		now, net.ports[""] = now.Add(step.after), []error{errSilent}
		if step.open {
			net.ports[""] = []error{nil}
		}
		seen = check.Run(t.Context(), pod, state, seen, probe.Quick)
		if seen.Policy != step.policy || (seen.Bypass(now) != nil) != step.bypass {
			t.Errorf("step %d: policy %s, bypass %v", i, seen.Policy, seen.Bypass(now))
		}
		if unsure := step.open && !step.bypass; unsure != !seen.Recheck().IsZero() || unsure && seen.Recheck().After(now.Add(authhealth.ReachGrace)) {
			t.Errorf("step %d: to be dialled again at %v", i, seen.Recheck())
		}
	}
}
