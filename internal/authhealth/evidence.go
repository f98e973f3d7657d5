package authhealth

import (
	"cmp"
	"strings"
	"time"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/probe"
)

// Grade orders evidence by what it means, the best first.
type Grade int

const (
	// Proven: the lock was seen to hold.
	Proven Grade = iota
	// Unknown: nothing was seen that proves or disproves it.
	Unknown
	// Failed: the gate does not do its work, without letting anyone in who must not.
	Failed
	// Open: somebody was let in who must not be, or could be.
	Open
)

// Evidence is what one round on one pod came to.
type Evidence struct {
	At     time.Time
	Grade  Grade
	Reason string
	// Message says it to a person; the pod is named by whoever shows it.
	Message string
	// Confirmed: it was seen twice in a row beside a control that passed, or in two rounds, and is no trouble of a connection.
	Confirmed bool
	// what decided; empty when proven.
	Question, Expected, Seen string
	Server                   *probe.ServerInfo
	// MissingKeys are the providers of which the gate has no keys: what proves the lock was asked with tokens of others.
	MissingKeys []MissingKeys
	// atOnce: it was not guessed from answers, so it needs no further round to count.
	atOnce bool
	// Cut: the connection was reset or closed before an answer, as a mesh does with what is not its own.
	Cut bool
	// Unlike is the object that the gate mounts and has something else of; empty if none.
	Unlike string
}

// failure is the evidence as status has it.
func (e *Evidence) failure(pod string) v1alpha1.AuthFailure {
	return v1alpha1.AuthFailure{Pod: pod, Case: e.Question, Expected: e.Expected, Seen: e.Seen}
}

// FromReport turns the report of a round into evidence.
func FromReport(report probe.Report, verdict probe.Verdict, at time.Time) Evidence {
	out := Evidence{At: at, Message: verdict.Message, Server: report.Server, Confirmed: verdict.Confirmed}
	out.Grade, out.Reason = Classify(verdict)
	if out.Grade == Proven {
		return out
	}
	if verdict.Outcome == probe.TLS && strings.HasPrefix(report.URL, "https:") {
		out.Reason = v1alpha1.ReasonTLSNotServed
		out.Message += " It is to serve clients over TLS (gate.tls), and does not, or shows another certificate than it says it does: " +
			"tokens that clients send there are not safe. Delete the pod; if the next one is no better, look at the gate's image and at what else has its port."
	}
	out.Question = verdict.Question()
	out.Cut = verdict.Outcome == probe.Reset || verdict.Outcome == probe.ClosedWithoutAnswer
	out.Expected, out.Seen = verdict.Expected, verdict.Seen
	return out
}

// Classify gives the grade and the condition reason of a verdict.
func Classify(verdict probe.Verdict) (Grade, string) {
	switch verdict.Kind {
	case probe.Locked:
		return Proven, v1alpha1.ReasonProven
	case probe.Open:
		if verdict.Case == probe.NoToken {
			return Open, v1alpha1.ReasonUnauthenticatedAccepted
		}
		return Open, v1alpha1.ReasonInvalidTokenAccepted
	case probe.ValidRejected:
		return Failed, v1alpha1.ReasonValidTokenRejected
	case probe.Broken:
		return Failed, brokenReason(verdict.Outcome)
	case probe.ClockSkew:
		return Unknown, v1alpha1.ReasonClockSkew
	case probe.UpstreamUnavailable:
		return Unknown, v1alpha1.ReasonUpstreamUnavailable
	case probe.Unreachable:
		return Unknown, v1alpha1.ReasonUnreachable
	default:
		return Unknown, v1alpha1.ReasonInconclusive
	}
}

func brokenReason(outcome probe.Outcome) string {
	switch outcome {
	case probe.Reset:
		return v1alpha1.ReasonConnectionReset
	case probe.ClosedWithoutAnswer:
		return v1alpha1.ReasonConnectionClosed
	case probe.Timeout:
		return v1alpha1.ReasonProbeTimeout
	case probe.NotHTTP, probe.TLS:
		return v1alpha1.ReasonNotHTTP
	case probe.Truncated:
		return v1alpha1.ReasonTruncatedResponse
	default:
		return v1alpha1.ReasonWrongAnswer
	}
}

// AsOf is what the evidence is worth now: a proof wears off when no round has counted for longer than it takes to lose
// it by rounds that fail. What speaks against a pod stays until it is refuted. hindered says why there was no round.
func (e *Evidence) AsOf(now time.Time, settings desired.Probe, hindered string) *Evidence {
	lasts := ProofLasts(settings)
	if e == nil || e.Grade != Proven || now.Sub(e.At) <= lasts {
		return e
	}
	why := cmp.Or(hindered, "no round of it has come to an end")
	return &Evidence{
		At: e.At, Grade: Unknown, Reason: v1alpha1.ReasonEvidenceStale, Question: "age of the proof",
		Expected: "at most " + lasts.String(), Seen: "proven last at " + e.At.UTC().Format(time.RFC3339),
		Message: "Its lock was proven last at " + e.At.UTC().Format(time.RFC3339) +
			" and could not be tried since: " + why + ".",
	}
}

// ProofLasts is how long a proof lasts without another round.
func ProofLasts(settings desired.Probe) time.Duration {
	return time.Duration(settings.FailureThreshold+1)*settings.Interval + time.Minute
}

// Why a round that was due did not come about.
const (
	HinderedByBudget = "all rounds together come to more than the operator's --probe-qps, and those of this server were put off"
	HinderedByKeys   = "there are no keys to try it with; the condition KeysReady says why"
)
