package authprobe

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/admin"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/diagnosis"
	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/redact"
)

// grade orders evidence by what it means, the best first.
type grade int

const (
	// proven: the lock was seen to hold.
	proven grade = iota
	// unknown: nothing was seen that proves or disproves it.
	unknown
	// failed: the gate does not do its work, without letting anyone in who must not.
	failed
	// open: somebody was let in who must not be, or could be.
	open
)

// evidence is what one round on one pod came to.
type evidence struct {
	at     time.Time
	grade  grade
	reason string
	// message says it to a person; the pod is named by whoever shows it.
	message string
	// confirmed: it was seen twice in a row beside a control that passed, or in two rounds, and is no trouble of a connection.
	confirmed bool
	// what decided; empty when proven.
	question, expected, seen string
	server                   *probe.ServerInfo
	// unserved are the providers of which the gate has no keys: what proves the lock was asked with tokens of others.
	unserved []unserved
	// atOnce: it was not guessed from answers, so it needs no further round to count.
	atOnce bool
	// cut: the connection was reset or closed before an answer, as a mesh does with what is not its own.
	cut bool
}

// failure is the evidence as status has it.
func (e *evidence) failure(pod string) v1alpha1.AuthFailure {
	return v1alpha1.AuthFailure{Pod: pod, Case: e.question, Expected: e.expected, Seen: e.seen}
}

// fromReport turns the report of a round into evidence.
func fromReport(report probe.Report, verdict probe.Verdict, at time.Time) evidence {
	out := evidence{at: at, message: verdict.Message, server: report.Server, confirmed: verdict.Confirmed}
	out.grade, out.reason = classify(verdict)
	if out.grade == proven {
		return out
	}
	if verdict.Outcome == probe.TLS && strings.HasPrefix(report.URL, "https:") {
		out.reason = v1alpha1.ReasonTLSNotServed
		out.message += " It is to serve clients over TLS (gate.tls), and does not, or shows another certificate than it says it does: " +
			"tokens that clients send there are not safe. Delete the pod; if the next one is no better, look at the gate's image and at what else has its port."
	}
	out.question = verdict.Question()
	out.cut = verdict.Outcome == probe.Reset || verdict.Outcome == probe.ClosedWithoutAnswer
	out.expected, out.seen = verdict.Expected, verdict.Seen
	return out
}

// asOf is what the evidence is worth now: a proof wears off when no round has counted for longer than it takes to lose
// it by rounds that fail. What speaks against a pod stays until it is refuted. hindered says why there was no round.
func (e *evidence) asOf(now time.Time, probe desired.Probe, hindered string) *evidence {
	lasts := lastingOf(probe)
	if e == nil || e.grade != proven || now.Sub(e.at) <= lasts {
		return e
	}
	why := cmp.Or(hindered, "no round of it has come to an end")
	return &evidence{
		at: e.at, grade: unknown, reason: v1alpha1.ReasonEvidenceStale, question: "age of the proof",
		expected: "at most " + lasts.String(), seen: "proven last at " + e.at.UTC().Format(time.RFC3339),
		message: "Its lock was proven last at " + e.at.UTC().Format(time.RFC3339) +
			" and could not be tried since: " + why + ".",
	}
}

// lastingOf is how long a proof lasts without another round.
func lastingOf(probe desired.Probe) time.Duration {
	return time.Duration(probe.FailureThreshold+1)*probe.Interval + time.Minute
}

// Why a round that was due did not come about.
const (
	hinderedByBudget = "all rounds together come to more than the operator's --probe-qps, and those of this server were put off"
	hinderedByKeys   = "there are no keys to try it with; the condition KeysReady says why"
)

// classify gives the grade and the condition reason of a verdict.
func classify(verdict probe.Verdict) (grade, string) {
	switch verdict.Kind {
	case probe.Locked:
		return proven, v1alpha1.ReasonProven
	case probe.Open:
		if verdict.Case == probe.NoToken {
			return open, v1alpha1.ReasonUnauthenticatedAccepted
		}
		return open, v1alpha1.ReasonInvalidTokenAccepted
	case probe.ValidRejected:
		return failed, v1alpha1.ReasonValidTokenRejected
	case probe.Broken:
		return failed, brokenReason(verdict.Outcome)
	case probe.ClockSkew:
		return unknown, v1alpha1.ReasonClockSkew
	case probe.UpstreamUnavailable:
		return unknown, v1alpha1.ReasonUpstreamUnavailable
	case probe.Unreachable:
		return unknown, v1alpha1.ReasonUnreachable
	default:
		return unknown, v1alpha1.ReasonInconclusive
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

// elsewhere says where the server listens, if its gate let a token in and found nothing behind it; empty if that is not so.
func elsewhere(found evidence, state admin.State) string {
	if found.reason != v1alpha1.ReasonUpstreamUnavailable || state.ServerAbsence == "" {
		return ""
	}
	return " The gate says: " + state.ServerAbsence + ". Set port to that of the server, and have the server listen on 127.0.0.1 or on all addresses."
}

// tampered is the evidence against a pod whose specification would let somebody past the gate.
func tampered(pod corev1.PodSpec, lock desired.Lock, violations []desired.Violation, at time.Time) evidence {
	out := evidence{
		at: at, grade: open, reason: v1alpha1.ReasonPodTampered, question: "pod specification",
		expected: "as the operator made it", seen: violations[0].String(),
	}
	cure := cmp.Or(desired.Cure(pod, lock, violations), "A webhook, an ephemeral container or an edit has changed it; find out which, then delete the pod.")
	out.message = "The running pod is not as the operator made it: " + desired.Describe(violations) + ". " + cure
	return out
}

// isUncertified: the gate serves clients over TLS and has no certificate, so it refuses every connection.
func isUncertified(state admin.State) bool { return state.TLS && state.CertificateSHA256 == "" }

// uncertified is the evidence against such a gate.
func uncertified(server *v1alpha1.MCPServer, state admin.State, at time.Time) evidence {
	secret := desired.Resolve(server).TLSSecret
	return evidence{
		at: at, grade: failed, reason: v1alpha1.ReasonCertificateUnusable, question: "certificate",
		expected: "a certificate and its key in Secret " + secret, seen: "none that can be used",
		message: fmt.Sprintf("Its gate refuses every connection, because it has no TLS certificate: Secret %s (gate.tls.secretRef) must hold "+
			"%s and %s, in PEM, that belong together. The gate says: %s Put them there; it takes them up by itself.",
			secret, authproxy.TLSCertFile, authproxy.TLSKeyFile, diagnosis.Sentence(redact.Trusted(state.LastReloadError))),
	}
}

// stranger is the evidence against a pod that wears the labels by which the Service finds the server's pods, and is none
// of them. Nobody has tried its lock: it is sent no token.
func stranger(at time.Time) evidence {
	return evidence{
		at: at, grade: failed, reason: v1alpha1.ReasonPodTampered, question: "pod owner",
		expected: "a pod of this server's Deployment", seen: "another owner, or none",
		message: "It has the labels of this server's pods, so the Service sends it requests once it is ready, but the Deployment of this server did not make it. " +
			"Take the labels from it, or delete it.",
	}
}
