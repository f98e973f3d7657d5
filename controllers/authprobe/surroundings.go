package authprobe

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/admin"
	"github.com/mcp-gatehouse/gatehouse/internal/probe"
)

// reach is what came of an attempt to connect.
type reach int

const (
	// dialSilent: nothing came back in time, as where a policy drops what it does not let pass.
	dialSilent reach = iota
	// dialRefused: a connection was refused, or there is no way to the address.
	dialRefused
	// dialAccepted: a connection was taken. What would be said on it is not asked: nobody outside the pod may come so far.
	dialAccepted
)

const (
	// dialTimeout is long enough for any pod network; a port that a policy shields costs all of it.
	dialTimeout = time.Second
	// silenceLasts is how long a port counts as shielded that did not answer. A policy can be opened at any time; but each
	// silence costs its whole time limit.
	silenceLasts = time.Minute
	// maxDials is how many listeners of a pod are dialled in one round.
	maxDials = 64
)

// surroundings are what else of a pod answers, and whether a policy keeps others away from it.
type surroundings struct {
	// known tells that somebody has looked, and looked when the silent ports were dialled last.
	known  bool
	looked time.Time
	// unlisted: the gate could not find out what listens in its pod.
	unlisted bool
	// meshed: a proxy takes every connection to the pod, so that none tells anything.
	meshed bool
	// listeners by address and port, as the gate lists them.
	listeners map[string]reach
	// reached is since when a listener, or the canary, was reached each time; dialled is when that was tried last.
	reached map[string]time.Time
	dialled time.Time
	// policy tells whether NetworkPolicies are enforced.
	policy v1alpha1.NetworkPolicyEnforcement
}

// lookAround dials what a gate lists as listening beside it, and its canary, which our NetworkPolicy opens to nobody: a
// port that the operator reaches is one that everybody reaches. What stayed silent is dialled again after silenceLasts,
// and when everything is asked.
func (r *Reconciler) lookAround(ctx context.Context, pod corev1.Pod, state admin.State, before surroundings, tier probe.Tier) surroundings {
	now := r.Now()
	out := surroundings{known: true, looked: before.looked, unlisted: state.Listeners == nil, meshed: hasMeshProxy(pod), policy: v1alpha1.NetworkPolicyUnknown}
	if out.meshed {
		return out
	}
	again := tier == probe.Full || !before.known || now.Sub(before.looked) >= silenceLasts
	if again {
		out.looked = now
	}
	targets := r.dialTargets(pod, state, before, again, &out)
	r.budget.charge(len(targets), now)
	out.dialled, out.reached = now, map[string]time.Time{}
	for name, came := range r.dialAll(ctx, targets) {
		if came == dialAccepted {
			out.reached[name] = now
			if since, known := before.reached[name]; known {
				out.reached[name] = since
			}
		}
		switch {
		case name != canary:
			out.listeners[name] = came
		case came != dialAccepted:
			out.policy = v1alpha1.NetworkPolicyEnforced
		case out.isConfirmed(canary):
			out.policy = v1alpha1.NetworkPolicyNotEnforced
		default:
			out.policy = cmp.Or(before.policy, v1alpha1.NetworkPolicyUnknown)
		}
	}
	return out
}

// reachGrace is how long what must not be reached is reached before it counts: a policy takes a while until it is in force at
// a new pod, and until the plugin that enforces it has restarted.
const reachGrace = 15 * time.Second

// isConfirmed reports whether a listener was reached each time for long enough.
func (s surroundings) isConfirmed(name string) bool {
	since, known := s.reached[name]
	return !known || s.dialled.Sub(since) >= reachGrace
}

// recheck is when to dial again what was reached and does not count yet; zero if nothing was.
func (s surroundings) recheck() time.Time {
	var next time.Time
	for name, since := range s.reached {
		if at := since.Add(reachGrace); !s.isConfirmed(name) && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	return next
}

// canary is what the gate's canary is called among the ports to dial.
const canary = "canary"

// dialTargets gives the addresses to dial by name, and takes into out what is taken over from before.
func (r *Reconciler) dialTargets(pod corev1.Pod, state admin.State, before surroundings, again bool, out *surroundings) map[string]string {
	out.listeners = map[string]reach{}
	targets := map[string]string{}
	for _, listener := range r.someOf(state.Listeners) {
		name := net.JoinHostPort(listener.Address, strconv.Itoa(int(listener.Port)))
		if last, found := before.listeners[name]; found && last == dialSilent && !again {
			out.listeners[name] = dialSilent
			continue
		}
		targets[name] = net.JoinHostPort(addressFor(pod, listener.Address), strconv.Itoa(int(listener.Port)))
	}
	_, reached := before.reached[canary]
	if state.CanaryPort != 0 && (again || reached || before.policy != v1alpha1.NetworkPolicyEnforced) {
		targets[canary] = net.JoinHostPort(pod.Status.PodIP, strconv.Itoa(int(state.CanaryPort)))
	} else if state.CanaryPort != 0 {
		out.policy = before.policy
	}
	return targets
}

// someOf bounds what is dialled in a round; each round begins elsewhere in a list that is too long.
func (r *Reconciler) someOf(listeners []admin.Listener) []admin.Listener {
	if len(listeners) <= maxDials {
		return listeners
	}
	from := int(r.Jitter() * float64(len(listeners)))
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

func (r *Reconciler) dialAll(ctx context.Context, targets map[string]string) map[string]reach {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	var mu sync.Mutex
	var dials sync.WaitGroup
	out := map[string]reach{}
	for name, address := range targets {
		dials.Go(func() {
			came := r.dial(ctx, address)
			mu.Lock()
			defer mu.Unlock()
			out[name] = came
		})
	}
	dials.Wait()
	return out
}

func (r *Reconciler) dial(ctx context.Context, address string) reach {
	conn, err := r.Dial(ctx, "tcp", address)
	if err == nil {
		_ = conn.Close()
		return dialAccepted
	}
	var timeout net.Error
	if errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout() {
		return dialSilent
	}
	return dialRefused
}

// open are the listeners that were reached for long enough to count, sorted.
func (s surroundings) open() []string {
	reached := maps.Clone(s.listeners)
	maps.DeleteFunc(reached, func(name string, came reach) bool { return came != dialAccepted || !s.isConfirmed(name) })
	return slices.Sorted(maps.Keys(reached))
}

// bypass is the evidence that a pod can be entered past its gate, nil if nobody could. Both cures are named: either is
// enough.
func (s surroundings) bypass(at time.Time) *evidence {
	open := s.open()
	if len(open) == 0 {
		return nil
	}
	ports := strings.Join(open, ", ")
	message := fmt.Sprintf("Besides its gate it takes connections on %s, and whoever reaches the pod's address goes past the gate. "+
		"Have the server listen on 127.0.0.1 only, by its option or variable for the host or bind address, such as --host 127.0.0.1 or HOST=127.0.0.1; "+
		"or use a network plugin that enforces NetworkPolicies.", ports)
	if s.policy == v1alpha1.NetworkPolicyNotEnforced {
		message += " The canary port, which the policy of this server opens to nobody, was reached as well: policies are not enforced here, or another one opens its pods."
	}
	return &evidence{
		at: at, grade: failed, reason: v1alpha1.ReasonBypassReachable, question: "listeners",
		expected: "no connection but to the gate", seen: "a connection to " + ports, message: message,
	}
}

// note says to a person what could not be found out; empty if all could.
func (s surroundings) note() string {
	switch {
	case s.meshed:
		return "A mesh proxy takes every connection to the pods, so it could not be told whether they can be entered past their gate."
	case s.unlisted:
		return "What else listens in the pods could not be found out."
	}
	return ""
}
