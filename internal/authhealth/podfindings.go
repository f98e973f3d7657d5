package authhealth

import (
	"maps"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/probe"
)

// Findings are what is known of the pods of a server, by UID.
type Findings map[types.UID]PodFindings

// Certificates returns the digests of those that the gates were seen to show.
func (f Findings) Certificates() []string {
	var out []string
	for _, e := range f {
		if e.Certificate != "" {
			out = append(out, e.Certificate)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Urged returns the findings with every pod due to be asked everything now, whatever else waits.
func (f Findings) Urged(now time.Time) Findings {
	out := maps.Clone(f)
	for uid, e := range out {
		e.Due, e.Urgent, e.Full = now, true, FullProof{}
		out[uid] = e
	}
	return out
}

// PodFindings is what is known of one pod.
type PodFindings struct {
	// Standing is what counts: the newest evidence that passed its threshold. Nil until there is one.
	Standing *Evidence
	// passing and Failing count rounds in a row; one of them is 0. doubtful are those of the last that proved nothing.
	passing, Failing, doubtful int
	// Rounds counts all that came to a result.
	Rounds int
	// Instance and Generation are what the evidence is about: another one is tried at once.
	Instance   string
	Generation int64
	// Renames counts the objects that had got another name when it was last made due.
	Renames int
	// Due is when to try next.
	Due time.Time
	// Full is the last proof of everything.
	Full FullProof
	// Exposure is what was found beside the gate last.
	Exposure Exposure
	// bare is what its gate saw the server do without it; empty if that is not known.
	bare v1alpha1.BareServerResult
	// clients are how those of each provider fared at its gate.
	clients clients
	// Certificate is the digest of the one that its gate showed last; empty without TLS.
	Certificate string
	// validity is that of this certificate.
	validity Validity
	// Withdrawn tells that its readiness gate was set by proof until its lock was seen open.
	Withdrawn bool
	// Turn is whose turn it is in the next round, and Failures the questions that failed and are not refuted; Strange are those
	// of rounds that had no good token.
	Turn              probe.Turn
	Failures, Strange probe.Failures
	// Hindered says why the last round that was due did not come about, or did not count; empty if it did.
	Hindered string
	// Urgent: a round is due that waits for no budget, and asks under each name of the Service.
	Urgent bool
	// replay are tokens that were let in, to be refused once they have expired.
	replay probe.Replay
	// signer names the keys that signed them, and who judged.
	signer string
	// Sessions are those that rounds have open at its server.
	Sessions probe.Sessions
}

// IsProven reports whether the newest evidence that counts is a proof.
func (e PodFindings) IsProven() bool { return e.Standing != nil && e.Standing.Grade == Proven }

// Learn returns the findings after one more round.
func (e PodFindings) Learn(seen Observation, settings desired.Probe, jitter float64) PodFindings {
	if seen.Asked != nil {
		e.Turn, e.Failures, e.Strange = seen.Asked.Turn, seen.Asked.Failures, seen.Asked.Strange
	}
	e.Hindered, e.Urgent = "", false
	e = e.next(seen.Evidence, settings)
	e.Full = e.Full.renewed(seen, jitter)
	if seen.Bare != "" {
		e.bare = seen.Bare
	}
	if seen.Basis != "" {
		e.Certificate = seen.Certificate
	}
	if seen.Replay != nil {
		e.replay, e.signer = *seen.Replay, seen.Signer
	}
	if seen.Sessions != nil {
		e.Sessions = *seen.Sessions
	}
	if seen.State != nil {
		e.clients, e.validity = e.clients.hear(*seen.State), ValidityOf(*seen.State)
	}
	if seen.Exposure != nil {
		e.Exposure = *seen.Exposure
	}
	return e
}

// next returns the findings after one more round, as far as the lock is concerned.
func (e PodFindings) next(seen Evidence, settings desired.Probe) PodFindings {
	e.Rounds++
	if seen.Grade == Proven {
		e.passing, e.Failing, e.doubtful = e.passing+1, 0, 0
		recovering := e.Standing != nil && e.Standing.Grade != Proven
		if !recovering || e.passing >= settings.SuccessThreshold {
			e.Standing = &seen
		}
		return e
	}
	e.passing, e.Failing, e.doubtful = 0, e.Failing+1, e.doubtful+1
	if seen.Grade != Unknown {
		e.doubtful = 0
	}
	if e.counts(seen, settings) {
		e.Standing = &seen
	}
	return e
}

// counts tells that a round that proved nothing, or something against the lock, decides. What is confirmed counts at once: it
// was asked twice within the round, or in two rounds. What speaks against a lock is not forgotten for a hiccup, and as long as
// a question stands that failed, not at all.
func (e PodFindings) counts(seen Evidence, settings desired.Probe) bool {
	against := e.Standing != nil && e.Standing.Grade > Unknown
	if seen.Grade == Unknown && against {
		return e.doubtful >= settings.FailureThreshold && e.Failures.Len()+e.Strange.Len() == 0
	}
	return seen.Grade == Open || seen.atOnce || seen.Confirmed || e.Failing >= settings.FailureThreshold
}

// Replayed are the tokens of earlier rounds that must be refused because they have expired. Those of a key that signs no
// more may be refused for another reason, and under another configuration they may be good for longer.
func (e PodFindings) Replayed(signer string) probe.Replay {
	if e.signer != signer {
		return probe.Replay{}
	}
	return e.replay
}

// Recalled are the questions that failed on a pod by what status says: an operator that has just started knows nothing else,
// and the question may not have its turn for hours.
func Recalled(server *v1alpha1.MCPServer, pod corev1.Pod) probe.Failures {
	said := meta.FindStatusCondition(server.Status.Conditions, v1alpha1.ConditionAuthHealthy)
	if said == nil || server.Status.AuthHealth == nil {
		return probe.Failures{}
	}
	var all []probe.Failure
	for _, failure := range server.Status.AuthHealth.Failures {
		if failure.Pod != pod.Name {
			continue
		}
		open := said.Reason == v1alpha1.ReasonInvalidTokenAccepted || said.Reason == v1alpha1.ReasonUnauthenticatedAccepted
		at := server.Status.AuthHealth.LastProbeTime.Time
		if known, found := probe.Recall(failure.Case, failure.Expected, failure.Seen, open, at); found {
			all = append(all, known)
		}
	}
	return probe.FailuresFor(all...)
}
