package authhealth

import (
	"cmp"
	"fmt"
	"net/netip"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/desired/podlock"
	"github.com/mcp-gatehouse/gatehouse/internal/diagnosis"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/admin"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/mask"
	"github.com/mcp-gatehouse/gatehouse/internal/podstate"
)

// Tampered is the evidence against a pod whose specification would let somebody past the gate.
func Tampered(pod corev1.PodSpec, lock podlock.Lock, violations []podlock.Violation, at time.Time) Evidence {
	out := Evidence{
		At: at, Grade: Open, Reason: v1alpha1.ReasonPodTampered, Question: "pod specification",
		Expected: "as the operator made it", Seen: violations[0].String(),
	}
	cure := cmp.Or(podlock.Cure(pod, lock, violations), "A webhook, an ephemeral container or an edit has changed it; find out which, then delete the pod.")
	out.Message = "The running pod is not as the operator made it: " + podlock.Describe(violations) + ". " + cure
	return out
}

// ForeignPod is the evidence against a pod that wears the labels by which the Service finds the server's pods, and is none
// of them. Nobody has tried its lock: it is sent no token.
func ForeignPod(at time.Time) Evidence {
	return Evidence{
		At: at, Grade: Failed, Reason: v1alpha1.ReasonPodTampered, Question: "pod owner",
		Expected: "a pod of this server's Deployment", Seen: "another owner, or none",
		Message: "It has the labels of this server's pods, so the Service sends it requests once it is ready, but the Deployment of this server did not make it. " +
			"Take the labels from it, or delete it.",
	}
}

// IsUncertified: the gate serves clients over TLS and has no certificate, so it refuses every connection.
func IsUncertified(state admin.State) bool { return state.TLS && state.CertificateSHA256 == "" }

// Uncertified is the evidence against such a gate.
func Uncertified(server *v1alpha1.MCPServer, state admin.State, at time.Time) Evidence {
	secret := desired.Resolve(server).TLSSecret
	return Evidence{
		At: at, Grade: Failed, Reason: v1alpha1.ReasonCertificateUnusable, Question: "certificate",
		Expected: "a certificate and its key in Secret " + secret, Seen: "none that can be used",
		Message: fmt.Sprintf("Its gate refuses every connection, because it has no TLS certificate: Secret %s (gate.tls.secretRef) must hold "+
			"%s and %s, in PEM, that belong together. The gate says: %s Put them there; it takes them up by itself.",
			secret, gateapi.TLSCertFile, gateapi.TLSKeyFile, diagnosis.Sentence(mask.Trusted(state.LastReloadError))),
	}
}

// AbsenceOf is what a gate says of a server that does not listen where it must; nil if it does, or nobody can tell.
func AbsenceOf(state admin.State, port int32) *diagnosis.Absence {
	if state.ServerAbsence == "" {
		return nil
	}
	out := &diagnosis.Absence{Port: port}
	for _, listener := range state.ServerListeners {
		if address, err := netip.ParseAddr(listener.Address); err == nil {
			out.Others = append(out.Others, netip.AddrPortFrom(address, listener.Port))
		}
	}
	return out
}

// ListensElsewhere says where the server listens and what to do, if its gate let a token in and found nothing behind it; empty if
// that is not so.
func ListensElsewhere(found Evidence, absence *diagnosis.Absence) string {
	if found.Reason != v1alpha1.ReasonUpstreamUnavailable || absence == nil {
		return ""
	}
	return " The gate says: " + absence.Facts() + ". " + absence.Advice()
}

// UnlessEnding is what a round came to: that the gate was told to end alone stands in place of a proof.
func (o Observation) UnlessEnding(pod corev1.Pod, at time.Time) Observation {
	if o.State == nil || o.Grade != Proven {
		return o
	}
	if alone := endsAlone(pod, *o.State, at); alone != nil {
		alone.Server = o.Server
		o.Evidence = *alone
	}
	return o
}

// endsAlone is the evidence that a gate was told that its pod is ending although the pod is not; nil otherwise. Such a gate
// ends the streams of its clients. It forgets that by itself, unless it is told again.
func endsAlone(pod corev1.Pod, state admin.State, at time.Time) *Evidence {
	if !state.Terminating || podstate.IsEnding(pod) {
		return nil
	}
	return &Evidence{
		At: at, Grade: Unknown, atOnce: true, Reason: v1alpha1.ReasonGateTerminating, Question: "end of the pod",
		Expected: "a gate that was not told of it", Seen: "one that was, in a pod that is not being deleted",
		Message: fmt.Sprintf("Its gate was told that the pod is ending, and it closes the streams of its clients, but the pod is not being deleted. "+
			"Find out who runs %s %s in container %s (this needs the right to create pods/exec), or delete the pod. The gate clears this state by itself within two minutes or so.",
			gateapi.Program, gateapi.TerminateArg, desired.GateContainer),
	}
}
