package authhealth

import (
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/upstream/bareserver"
)

// ServiceFinding is evidence against the Service of a server, and the endpoint that it is about.
type ServiceFinding struct {
	Evidence
	Endpoint string
}

// WithService gives the verdict in the light of what was found about the Service: it decides unless a pod is open or fails.
func (j Judgement) WithService(service *ServiceFinding) Judgement {
	if service == nil {
		return j
	}
	if len(j.Failures) < maxFailures {
		j.Failures = append(j.Failures, service.failure(service.Endpoint))
	}
	if j.Status != metav1.ConditionFalse {
		j.Status, j.Reason, j.Message = metav1.ConditionFalse, service.Reason, service.Message
	}
	return j
}

// NotAsked is the result of a gate that has not asked its server.
const NotAsked = v1alpha1.BareServerResult(bareserver.NotAsked)

// bareNotes say to a person what the server does without its gate, where that is worth knowing.
var bareNotes = map[v1alpha1.BareServerResult]string{
	v1alpha1.BareServerResult(bareserver.Open):      "Without its gate the server would let anybody in.",
	v1alpha1.BareServerResult(bareserver.AnyBearer): "Without its gate the server would take any token.",
	v1alpha1.BareServerResult(bareserver.Resets):    "Without its gate the server resets a request without a good token.",
	v1alpha1.BareServerResult(bareserver.Exits):     "Without its gate the server exits at a request without a good token.",
	v1alpha1.BareServerResult(bareserver.Hangs):     "Without its gate the server gave no answer within 15 s to a request without a good token, and answered another meanwhile.",
}

// WithNotes adds what was found out, or could not be, about what is around the pods.
func (j Judgement) WithNotes(subjects []Subject) Judgement {
	j.Policy = v1alpha1.NetworkPolicyUnknown
	note := ""
	for _, s := range subjects {
		switch policy := s.exposure.Policy; {
		case policy == v1alpha1.NetworkPolicyNotEnforced, policy == v1alpha1.NetworkPolicyEnforced && j.Policy == v1alpha1.NetworkPolicyUnknown:
			j.Policy = policy
		}
		if note == "" {
			note = s.exposure.Note()
		}
		if s.bare != "" && (j.Bare == "" || j.Bare == NotAsked) {
			j.Bare = s.bare
		}
	}
	return j.withNote(note)
}

// withNote says in the message what is worth knowing besides.
func (j Judgement) withNote(note string) Judgement {
	if text := bareNotes[j.Bare]; text != "" {
		j.Message += " " + text
	}
	if note != "" && j.Reason != v1alpha1.ReasonServiceMeshBlocked {
		j.Message += " " + note
	}
	if j.Policy == v1alpha1.NetworkPolicyNotEnforced && j.Reason != v1alpha1.ReasonBypassReachable {
		j.Message += " This cluster does not enforce NetworkPolicies: only that no other port of the pods listens keeps others from going past the gate."
	}
	return j
}

// WhileTrue adds what there is to know although the lock holds. rejecting says whose clients are all refused, if any are.
func (j Judgement) WhileTrue(note, rejecting string) Judgement {
	j.Rejecting = rejecting
	j.Message = strings.TrimSpace(j.Message + note + " " + rejecting)
	return j
}

// SessionsNote says to a person that the server does not end sessions, so that those of the prober stay; empty if it does.
func SessionsNote(findings Findings) string {
	status := 0
	for _, e := range findings {
		status = max(status, e.Sessions.EndRefused().Status)
	}
	if status == 0 {
		return ""
	}
	return fmt.Sprintf(" The server does not end sessions (it answers DELETE with %d): the operator uses one session for each pod and provider, "+
		"for as long as the server knows it.", status)
}
