package authhealth

import (
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/podstate"
	"github.com/mcp-gatehouse/gatehouse/internal/probe"
)

// mendingDelay is the time to the round that may refute what was seen.
const mendingDelay = 2 * time.Second

// Delay is the time to the next round. A pod that was never proven is asked soon, then ever less often: a pod must not
// wait an interval for its first traffic, and a server that fails must not be kept busy by us.
func (e PodFindings) Delay(settings desired.Probe, jitter float64) time.Duration {
	mending := func(f probe.Failure) bool { return f.Right > 0 }
	if slices.ContainsFunc(append(e.Failures.All(), e.Strange.All()...), mending) {
		return min(mendingDelay, settings.Interval) // what speaks against the pod stands only until it was asked once more
	}
	if e.IsProven() {
		// A tenth of jitter keeps servers that were created together from being asked together for ever.
		return time.Duration(float64(settings.Interval) * (0.95 + jitter/10))
	}
	return min(time.Second<<min(e.Rounds, 10), settings.Interval)
}

// respite is how long a pod is left alone in which another process answers: not at all, unless rounds have failed
// before. A server that each round takes down must not be asked at each of its starts.
func (e PodFindings) respite(settings desired.Probe) time.Duration {
	if e.Failing == 0 {
		return 0
	}
	return min(time.Second<<min(e.Failing, 10), settings.Interval)
}

// Renewal is how long a proof of everything stands while quick checks confirm it.
const Renewal = 15 * time.Minute

// Tier is how much the next round asks: everything, unless everything was seen to hold on this basis, not long ago.
func (e PodFindings) Tier(basis string, now time.Time) probe.Tier {
	if e.Full.Basis == basis && now.Before(e.Full.Until) {
		return probe.Quick
	}
	return probe.Full
}

// FullProof is a round of all cases that all passed.
type FullProof struct {
	Basis string
	Until time.Time
}

// renewed is the full proof after one more round. What failed must not be proven by a round that does not ask for it.
func (f FullProof) renewed(seen Observation, jitter float64) FullProof {
	switch {
	case seen.Grade == Open || seen.Grade == Failed:
		return FullProof{}
	case seen.Grade == Proven && seen.Tier == probe.Full:
		// A tenth of jitter keeps servers that were created together from being asked everything together for ever.
		return FullProof{Basis: seen.Basis, Until: seen.At.Add(time.Duration(float64(Renewal) * (0.95 + jitter/10)))}
	default:
		return f
	}
}

// Arrive makes a pod due: at once when it is new, when the spec was changed or an object that it mounts was spoilt, and when
// another process answers in it, unless rounds have failed before; within an interval when it was proven before this operator
// started, so that a restart of the operator asks all servers no faster than usual.
func (e PodFindings) Arrive(seenBefore bool, pod corev1.Pod, server *v1alpha1.MCPServer, now time.Time, jitter float64) PodFindings {
	settings, instance, renames := desired.Resolve(server).Probe, podstate.Instance(pod), len(server.Status.Renamed)
	switch {
	case !seenBefore && podstate.ReadinessGate(pod) == corev1.ConditionTrue:
		e.Due = now.Add(time.Duration(float64(settings.Interval) * jitter))
	case !seenBefore || e.Generation != server.Generation || e.Renames != renames:
		e.Due = now
	case e.Instance != instance:
		// Never later than it was to be: a server that ends again and again would put it off for ever.
		if early := now.Add(e.respite(settings)); early.Before(e.Due) {
			e.Due = early
		}
	}
	e.Generation, e.Renames, e.Instance = server.Generation, renames, instance
	return e
}

// mostElsewhere bounds the test cases that a pod is asked because another one has failed them.
const mostElsewhere = 8

// FailedBeside returns the test cases that other pods of the server have failed for certain, and not refuted.
func (f Findings) FailedBeside(pod types.UID) probe.Failures {
	var failed []types.UID // few, if any
	for other, known := range f {
		if other != pod && known.Failures.Len() > 0 {
			failed = append(failed, other)
		}
	}
	slices.Sort(failed)
	var all probe.Failures
	for _, other := range failed {
		for _, failure := range f[other].Failures.List {
			if failure.Confirmed && all.Find(failure.Result) < 0 && all.Len() < mostElsewhere {
				all.List = append(all.List, failure)
			}
		}
	}
	return all
}

// Hasten returns the findings with checks at once of pods that have yet to be asked what another one has failed since before.
func (f Findings) Hasten(before Findings, now time.Time) Findings {
	if f.FailedBeside("").Len() == 0 {
		return f // as nearly always
	}
	for pod, known := range f {
		asked := before.FailedBeside(pod)
		for _, failure := range f.FailedBeside(pod).List {
			if asked.Find(failure.Result) < 0 && known.Failures.Find(failure.Result) < 0 && known.Due.After(now) {
				known.Due = now
				f[pod] = known
			}
		}
	}
	return f
}
