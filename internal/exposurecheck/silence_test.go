package exposurecheck

import (
	"syscall"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/authhealth"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/admin"
	"github.com/mcp-gatehouse/gatehouse/internal/probe"
)

// TestSilenceTellsNothingByItself: packets are lost, and nodes are slow. A port is shielded that is silent twice while the
// gate's admin port is not; else what was known of it stands.
func TestSilenceTellsNothingByItself(t *testing.T) {
	const listener = "0.0.0.0:8000"
	known := func(policy v1alpha1.NetworkPolicyEnforcement, reachedFor time.Duration) authhealth.Exposure {
		out := authhealth.Exposure{Known: true, Looked: noon, Dialled: noon, Policy: policy}
		if reachedFor > 0 {
			since := noon.Add(-reachedFor)
			out.Listeners = map[string]authhealth.Reach{listener: authhealth.DialAccepted}
			out.Reached = map[string]time.Time{listener: since, canary: since}
		}
		return out
	}
	fresh, enforced := authhealth.Exposure{}, known(v1alpha1.NetworkPolicyEnforced, 0)
	open := known(v1alpha1.NetworkPolicyNotEnforced, authhealth.ReachGrace)
	for name, c := range map[string]struct {
		before      authhealth.Exposure
		port, admin []error
		policy      v1alpha1.NetworkPolicyEnforcement
		bypass      bool
	}{
		"silent twice, and the admin port answers":         {fresh, []error{errSilent}, []error{nil}, v1alpha1.NetworkPolicyEnforced, false},
		"as is the admin port":                             {fresh, []error{errSilent}, []error{errSilent}, v1alpha1.NetworkPolicyUnknown, false},
		"and the admin port refuses":                       {fresh, []error{errSilent}, []error{syscall.ECONNREFUSED}, v1alpha1.NetworkPolicyUnknown, false},
		"refused":                                          {fresh, []error{syscall.ECONNREFUSED}, []error{errSilent}, v1alpha1.NetworkPolicyEnforced, false},
		"silent once, then refused":                        {fresh, []error{errSilent, syscall.ECONNREFUSED}, []error{nil}, v1alpha1.NetworkPolicyEnforced, false},
		"silent once, then reached":                        {fresh, []error{errSilent, nil}, []error{nil}, v1alpha1.NetworkPolicyUnknown, false},
		"the operator has no sockets":                      {fresh, []error{syscall.EMFILE}, []error{syscall.EMFILE}, v1alpha1.NetworkPolicyUnknown, false},
		"no route, and the admin port has one":             {fresh, []error{syscall.EHOSTUNREACH}, []error{nil}, v1alpha1.NetworkPolicyEnforced, false},
		"enforced before, and all is silent":               {enforced, []error{errSilent}, []error{errSilent}, v1alpha1.NetworkPolicyEnforced, false},
		"reached for long before, and all is silent":       {open, []error{errSilent}, []error{errSilent}, v1alpha1.NetworkPolicyNotEnforced, true},
		"reached for long before, and silent once":         {open, []error{errSilent, nil}, []error{nil}, v1alpha1.NetworkPolicyNotEnforced, true},
		"reached for long before, and shielded now":        {open, []error{errSilent}, []error{nil}, v1alpha1.NetworkPolicyEnforced, false},
		"reached for a moment before, and all is silent":   {known(v1alpha1.NetworkPolicyUnknown, time.Second), []error{errSilent}, []error{errSilent}, v1alpha1.NetworkPolicyUnknown, false},
		"reached for a moment before, and reached at last": {known(v1alpha1.NetworkPolicyUnknown, time.Second), []error{nil}, []error{nil}, v1alpha1.NetworkPolicyNotEnforced, true},
	} {
		// Two ports: each has its outcomes.
		net := &network{ports: map[string][]error{"8000": c.port, "9": c.port, "9090": c.admin}}
		state := admin.State{CanaryPort: 9, Listeners: []admin.Listener{{Address: "0.0.0.0", Port: 8000}}}
		later := func() time.Time { return noon.Add(time.Minute) }
		got := net.check(later).Run(t.Context(), gated(), state, c.before, probe.Quick)
		if bypass := got.Bypass(later()) != nil; got.Policy != c.policy || bypass != c.bypass {
			t.Errorf("%s: policy %s, bypass %v", name, got.Policy, bypass)
		}
	}
}

// TestReachedAcrossASilence: attempts that tell nothing do not add to the time for which a port was reached.
func TestReachedAcrossASilence(t *testing.T) {
	now, net := noon, &network{ports: map[string][]error{}}
	check, state := net.check(func() time.Time { return now }), admin.State{Listeners: []admin.Listener{{Address: "0.0.0.0", Port: 8000}}}
	var seen authhealth.Exposure
	for i, step := range []struct {
		came   error
		bypass bool
	}{{nil, false}, {errSilent, false}, {nil, false}, {nil, true}, {errSilent, true}, {nil, true}} {
		now, net.ports[""] = now.Add(authhealth.ReachGrace-time.Second), []error{step.came}
		if i == 3 {
			now = now.Add(time.Second)
		}
		seen = check.Run(t.Context(), gated(), state, seen, probe.Quick)
		if got := seen.Bypass(now) != nil; got != step.bypass {
			t.Errorf("step %d: bypass %v", i, got)
		}
	}
}
