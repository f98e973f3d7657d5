package authprobe

import (
	"context"
	"net"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/admin"
	"github.com/mcp-gatehouse/gatehouse/internal/probe"
)

// TestReachedForAMoment: while a policy is being put in place, or the plugin that enforces it restarts, ports are reached that
// are shielded a moment later. Only what is reached for reachGrace counts.
func TestReachedForAMoment(t *testing.T) {
	now, open := noon, true
	r := &Reconciler{Now: func() time.Time { return now }, Jitter: func() float64 { return 0 }, budget: newBudget(100), Dial: func(context.Context, string, string) (net.Conn, error) {
		if open {
			conn, _ := net.Pipe()
			return conn, nil
		}
		return nil, context.DeadlineExceeded
	}}
	pod := corev1.Pod{Status: corev1.PodStatus{PodIP: "10.0.0.5", PodIPs: []corev1.PodIP{{IP: "10.0.0.5"}}}}
	state := admin.State{CanaryPort: 9, Listeners: []admin.Listener{{Address: "0.0.0.0", Port: 8000}}}
	var seen surroundings
	for i, step := range []struct {
		after  time.Duration
		open   bool
		policy v1alpha1.NetworkPolicyEnforcement
		bypass bool
	}{
		{0, true, v1alpha1.NetworkPolicyUnknown, false},
		{reachGrace - 1, true, v1alpha1.NetworkPolicyUnknown, false},
		{time.Second, false, v1alpha1.NetworkPolicyEnforced, false}, // the policy is in force
		{time.Minute, true, v1alpha1.NetworkPolicyEnforced, false},  // its plugin restarts
		{10 * time.Second, false, v1alpha1.NetworkPolicyEnforced, false},
		{time.Minute, true, v1alpha1.NetworkPolicyEnforced, false}, // it is gone
		{reachGrace, true, v1alpha1.NetworkPolicyNotEnforced, true},
		{30 * time.Second, true, v1alpha1.NetworkPolicyNotEnforced, true},
		{time.Minute, false, v1alpha1.NetworkPolicyEnforced, false},
	} {
		now, open = now.Add(step.after), step.open
		seen = r.lookAround(t.Context(), pod, state, seen, probe.Beat)
		if seen.policy != step.policy || (seen.bypass(now) != nil) != step.bypass {
			t.Errorf("step %d: policy %s, bypass %v", i, seen.policy, seen.bypass(now))
		}
		if unsure := step.open && !step.bypass; unsure != !seen.recheck().IsZero() || unsure && seen.recheck().After(now.Add(reachGrace)) {
			t.Errorf("step %d: to be dialled again at %v", i, seen.recheck())
		}
	}
}
