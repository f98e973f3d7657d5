package exposurecheck

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"net"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/authhealth"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/admin"
	"github.com/mcp-gatehouse/gatehouse/internal/podstate"
	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/wire"
	"github.com/mcp-gatehouse/gatehouse/internal/probebudget"
)

const (
	// dialTimeout is long enough for any pod network; a port that a policy shields costs all of it, twice.
	dialTimeout = time.Second
	// silenceLasts is how long a port counts as shielded that did not answer. A policy can be opened at any time; but each
	// silence costs its whole time limit.
	silenceLasts = time.Minute
	// maxDials is how many listeners of a pod are dialled in one round.
	maxDials = 64
)

// Check finds out what else of a pod answers.
type Check struct {
	// Dial tries a listener, and budget pays for it.
	Dial   wire.DialFunc
	Budget probebudget.Budget
	// Now is the clock, jitter a source of numbers in [0,1).
	Now    func() time.Time
	Jitter func() float64
}

// Run dials what a gate lists as listening beside it, and its canary, which our NetworkPolicy opens to nobody: a
// port that the operator reaches is one that everybody reaches. What stayed silent is dialled again after silenceLasts,
// and when everything is asked.
func (c Check) Run(ctx context.Context, pod corev1.Pod, state admin.State, before authhealth.Exposure, tier probe.Tier) authhealth.Exposure {
	now := c.Now()
	out := authhealth.Exposure{Known: true, Looked: before.Looked, Unlisted: state.Listeners == nil, Meshed: podstate.HasMeshProxy(pod), Policy: v1alpha1.NetworkPolicyUnknown}
	if out.Meshed {
		return out
	}
	again := tier == probe.Full || !before.Known || now.Sub(before.Looked) >= silenceLasts
	if again {
		out.Looked = now
	}
	targets := c.targets(pod, state, before, again, &out)
	out.Dialled, out.Reached = now, map[string]time.Time{}
	for name, came := range c.reach(ctx, pod, targets) {
		learn(&out, before, name, came)
	}
	return out
}

// learn takes into out what came of a target. What is not told is as it was before: what was reached for long enough still
// counts, and what was not has to be reached for as long again.
func learn(out *authhealth.Exposure, before authhealth.Exposure, name string, came authhealth.Reach) {
	since, known := before.Reached[name]
	if !known || came == authhealth.DialUntold && !before.IsConfirmed(name) {
		since = out.Dialled
	}
	if came == authhealth.DialAccepted || came == authhealth.DialUntold && known {
		out.Reached[name] = since
	}
	if name == canary {
		out.Policy = policyOf(out, before, came)
		return
	}
	last, found := before.Listeners[name]
	if came == authhealth.DialUntold {
		if found {
			out.Listeners[name] = last
		}
		return
	}
	out.Listeners[name] = came
}

// policyOf is what the canary shows of the cluster; what is not sure yet is as it was before.
func policyOf(out *authhealth.Exposure, before authhealth.Exposure, came authhealth.Reach) v1alpha1.NetworkPolicyEnforcement {
	switch {
	case came == authhealth.DialSilent || came == authhealth.DialRefused:
		return v1alpha1.NetworkPolicyEnforced
	case came == authhealth.DialAccepted && out.IsConfirmed(canary):
		return v1alpha1.NetworkPolicyNotEnforced
	default:
		return cmp.Or(before.Policy, v1alpha1.NetworkPolicyUnknown)
	}
}

// What the gate's canary and its admin port are called among the ports to dial.
const (
	canary  = "canary"
	control = "control"
)

// targets gives the addresses to dial by name, and takes into out what is taken over from before.
func (c Check) targets(pod corev1.Pod, state admin.State, before authhealth.Exposure, again bool, out *authhealth.Exposure) map[string]string {
	out.Listeners = map[string]authhealth.Reach{}
	targets := map[string]string{}
	for _, listener := range c.someOf(state.Listeners) {
		name := net.JoinHostPort(listener.Address, strconv.Itoa(int(listener.Port)))
		if last, found := before.Listeners[name]; found && last == authhealth.DialSilent && !again {
			out.Listeners[name] = authhealth.DialSilent
			continue
		}
		targets[name] = net.JoinHostPort(addressFor(pod, listener.Address), strconv.Itoa(int(listener.Port)))
	}
	_, reached := before.Reached[canary]
	if state.CanaryPort != 0 && (again || reached || before.Policy != v1alpha1.NetworkPolicyEnforced) {
		targets[canary] = net.JoinHostPort(pod.Status.PodIP, strconv.Itoa(int(state.CanaryPort)))
	} else if state.CanaryPort != 0 {
		out.Policy = before.Policy
	}
	return targets
}

// someOf bounds what is dialled in a round; each round begins elsewhere in a list that is too long.
func (c Check) someOf(listeners []admin.Listener) []admin.Listener {
	if len(listeners) <= maxDials {
		return listeners
	}
	from := int(c.Jitter() * float64(len(listeners)))
	return slices.Concat(listeners[from:], listeners[:from])[:maxDials]
}

// addressFor is where others would reach a listener of the pod: only addresses of the pod itself are dialled.
func addressFor(pod corev1.Pod, listener string) string {
	for _, ip := range pod.Status.PodIPs {
		if ip.IP == listener {
			return listener
		}
	}
	return pod.Status.PodIP
}

// reach dials the targets, and what is silent once more, together with the gate's admin port, which the NetworkPolicy opens to
// the operator. A silence tells nothing unless that port answers meanwhile: the network or the node may be slow.
func (c Check) reach(ctx context.Context, pod corev1.Pod, targets map[string]string) map[string]authhealth.Reach {
	out := c.dialAll(ctx, targets)
	silent := maps.Clone(targets)
	maps.DeleteFunc(silent, func(name, _ string) bool { return out[name] != authhealth.DialSilent })
	if len(silent) == 0 {
		return out
	}
	if where, err := podstate.Address(pod, desired.AdminPortName); err == nil {
		silent[control] = where
	}
	again := c.dialAll(ctx, silent)
	for name := range silent {
		switch {
		case name == control:
		case again[name] == authhealth.DialSilent && again[control] != authhealth.DialAccepted:
			out[name] = authhealth.DialUntold
		default:
			out[name] = again[name]
		}
	}
	return out
}

// dialAll dials all targets at once, and pays for it.
func (c Check) dialAll(ctx context.Context, targets map[string]string) map[string]authhealth.Reach {
	c.Budget.Charge(len(targets), c.Now())
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	var mu sync.Mutex
	var dials sync.WaitGroup
	out := map[string]authhealth.Reach{}
	for name, address := range targets {
		dials.Go(func() {
			came := c.dialOne(ctx, address)
			mu.Lock()
			defer mu.Unlock()
			out[name] = came
		})
	}
	dials.Wait()
	return out
}

// dialOne tries one target. Any failure but a refusal counts as silence: the operator may lack a socket, and a node that is
// slow to answer has no route for a while.
func (c Check) dialOne(ctx context.Context, address string) authhealth.Reach {
	conn, err := c.Dial(ctx, "tcp", address)
	switch {
	case err == nil:
		_ = conn.Close()
		return authhealth.DialAccepted
	case errors.Is(err, syscall.ECONNREFUSED):
		return authhealth.DialRefused
	default:
		return authhealth.DialSilent
	}
}
