package authhealth

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
)

// Reach is what came of an attempt to connect.
type Reach int

const (
	// DialSilent: nothing came back in time, twice, as where a policy drops what it does not let pass; the second time, the
	// same pod took a connection where it must.
	DialSilent Reach = iota
	// DialRefused: a connection was refused.
	DialRefused
	// DialAccepted: a connection was taken. What would be said on it is not asked: nobody outside the pod may come so far.
	DialAccepted
	// DialUntold: nothing came back in time, there or where the pod must take a connection. It says nothing.
	DialUntold
)

// Exposure is what else of a pod answers, and whether a policy keeps others away from it.
type Exposure struct {
	// Known tells that somebody has looked, and Looked when the silent ports were dialled last.
	Known  bool
	Looked time.Time
	// Unlisted: the gate could not find out what listens in its pod.
	Unlisted bool
	// Meshed: a proxy takes every connection to the pod, so that none tells anything.
	Meshed bool
	// Listeners by address and port, as the gate lists them.
	Listeners map[string]Reach
	// Reached is since when a listener, or the canary, was reached each time; Dialled is when that was tried last.
	Reached map[string]time.Time
	Dialled time.Time
	// Policy tells whether NetworkPolicies are enforced.
	Policy v1alpha1.NetworkPolicyEnforcement
}

// ReachGrace is how long what must not be reached is reached before it counts: a policy takes a while until it is in force at
// a new pod, and until the plugin that enforces it has restarted.
const ReachGrace = 15 * time.Second

// IsConfirmed reports whether a listener was reached each time for long enough.
func (s Exposure) IsConfirmed(name string) bool {
	since, known := s.Reached[name]
	return !known || s.Dialled.Sub(since) >= ReachGrace
}

// Recheck is when to dial again what was reached and does not count yet; zero if nothing was.
func (s Exposure) Recheck() time.Time {
	var next time.Time
	for name, since := range s.Reached {
		if at := since.Add(ReachGrace); !s.IsConfirmed(name) && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	return next
}

// OpenListeners are the listeners that were reached for long enough to count, sorted.
func (s Exposure) OpenListeners() []string {
	reached := maps.Clone(s.Listeners)
	maps.DeleteFunc(reached, func(name string, came Reach) bool { return came != DialAccepted || !s.IsConfirmed(name) })
	return slices.Sorted(maps.Keys(reached))
}

// Bypass is the evidence that a pod can be entered past its gate, nil if nobody could. Both cures are named: either is
// enough.
func (s Exposure) Bypass(at time.Time) *Evidence {
	open := s.OpenListeners()
	if len(open) == 0 {
		return nil
	}
	ports := strings.Join(open, ", ")
	message := fmt.Sprintf("Besides its gate it takes connections on %s, and whoever reaches the pod's address goes past the gate. "+
		"Have the server listen on 127.0.0.1 only, by its option or variable for the host or bind address, such as --host 127.0.0.1 or HOST=127.0.0.1; "+
		"or use a network plugin that enforces NetworkPolicies.", ports)
	if s.Policy == v1alpha1.NetworkPolicyNotEnforced {
		message += " The canary port, which the policy of this server opens to nobody, was reached as well: policies are not enforced here, or another one opens its pods."
	}
	return &Evidence{
		At: at, Grade: Failed, Reason: v1alpha1.ReasonBypassReachable, Question: "listeners",
		Expected: "no connection but to the gate", Seen: "a connection to " + ports, Message: message,
	}
}

// Note says to a person what could not be found out; empty if all could.
func (s Exposure) Note() string {
	switch {
	case s.Meshed:
		return "A mesh proxy takes every connection to the pods, so it could not be told whether they can be entered past their gate."
	case s.Unlisted:
		return "What else listens in the pods could not be found out."
	}
	return ""
}
