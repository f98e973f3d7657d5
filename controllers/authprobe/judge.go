package authprobe

import (
	"cmp"
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/bareserver"
)

// subject is one pod as the judge sees it.
type subject struct {
	pod string
	// ready: its containers are, whatever its readiness gate says.
	ready       bool
	terminating bool
	// young: within its budget for starting.
	young    bool
	standing *evidence
	// around is what was found beside the gate, and bypass what that says against the pod.
	around surroundings
	bypass *evidence
	// mesh: it carries a mesh proxy.
	mesh bool
	// bare is what the server does without its gate.
	bare v1alpha1.BareServerResult
}

// worst is the evidence that decides about the pod. A way past the gate says more than a gate that gave no proof or no
// answer, and less than a gate that is open or fails.
func (s subject) worst() *evidence {
	if s.bypass != nil && (s.standing == nil || s.standing.grade <= unknown) {
		return s.bypass
	}
	return s.standing
}

// judgement is the verdict on a server.
type judgement struct {
	status  metav1.ConditionStatus
	reason  string
	message string
	// pods that count, and how many of them are proven.
	pods, provenPods int
	failures         []v1alpha1.AuthFailure
	policy           v1alpha1.NetworkPolicyEnforcement
	bare             v1alpha1.BareServerResult
	// rejecting names providers whose clients are all refused.
	rejecting string
}

// judge gives the verdict on a server from what stands about its pods.
//
// A pod that was seen open, or that can be entered past its gate, counts, whatever else it is: ending, of an old
// revision or not ready. Else the pods that
// take traffic count, those that are ready. Only where none is ready do the others say why. A young pod of which
// nothing stands is not held against the server.
//
// keep tells that a ready pod was not tried yet since the operator started: what stood before stands.
func judge(subjects []subject, parked bool) (verdict judgement, keep bool) {
	roles := map[role][]subject{}
	for _, s := range subjects {
		roles[s.role()] = append(roles[s.role()], s)
	}
	pending := len(roles[untried]) > 0
	switch {
	case len(roles[counts]) > 0:
		verdict = weigh(roles[counts])
		if verdict.status == metav1.ConditionTrue {
			verdict.message += late(roles[explains])
		}
		return verdict, pending && verdict.status == metav1.ConditionTrue
	case pending:
		return judgement{}, true
	case len(roles[explains]) > 0:
		return weigh(roles[explains]), false
	}
	return absent(len(subjects), parked), false
}

// role is what a pod is for the verdict on its server.
type role int

const (
	// silent: nothing is said about it that matters.
	silent role = iota
	// counts: its evidence decides.
	counts
	// explains: it takes no traffic; its evidence says why, if no pod counts.
	explains
	// untried: it takes traffic, and was not tried since the operator started.
	untried
)

func (s subject) role() role {
	switch {
	case s.standing != nil && s.standing.grade == open, s.bypass != nil:
		return counts
	case s.terminating:
		return silent
	case s.ready && s.standing != nil:
		return counts
	case s.ready && !s.young:
		return untried
	case s.standing != nil:
		return explains
	}
	return silent
}

// late says to a person why a pod takes no traffic that should have begun to long ago, while others serve; empty if none
// is. Nothing else would: Available tells of its containers alone.
func late(waiting []subject) string {
	waiting = slices.DeleteFunc(slices.Clone(waiting), func(s subject) bool { return s.young || s.standing.grade == proven })
	if len(waiting) == 0 {
		return ""
	}
	first := slices.MinFunc(waiting, func(a, b subject) int { return cmp.Compare(a.pod, b.pod) })
	text := fmt.Sprintf(" Pod %s takes no traffic: %s", first.pod, first.standing.message)
	if len(waiting) > 1 {
		text += fmt.Sprintf(" %d more take none either.", len(waiting)-1)
	}
	return text
}

// weigh lets the worst evidence decide.
func weigh(counted []subject) judgement {
	slices.SortFunc(counted, func(a, b subject) int {
		return cmp.Or(cmp.Compare(b.worst().grade, a.worst().grade), cmp.Compare(a.pod, b.pod))
	})
	out := judgement{pods: len(counted)}
	failing := 0
	for _, s := range counted {
		if s.standing != nil && s.standing.grade == proven {
			out.provenPods++
		}
		e := s.worst()
		if e.grade == proven {
			continue
		}
		if failing++; failing <= maxFailures {
			out.failures = append(out.failures, e.failure(s.pod))
		}
	}
	worst := counted[0].worst()
	out.reason = worst.reason
	switch worst.grade {
	case proven:
		out.status = metav1.ConditionTrue
		out.message = fmt.Sprintf("%d of %d pods refused every bad token for the right reason and let the good one in.", out.provenPods, out.pods)
		return out
	case unknown:
		out.status = metav1.ConditionUnknown
	default:
		out.status = metav1.ConditionFalse
	}
	out.message = fmt.Sprintf("Pod %s: %s", counted[0].pod, worst.message)
	if failing > 1 {
		out.message += fmt.Sprintf(" %d more of %d pods failed as well.", failing-1, out.pods)
	}
	if meshed(counted) {
		return out.inTheWay()
	}
	return out
}

// against gives the verdict in the light of what was found about the Service: it decides unless a pod is open or fails.
func (j judgement) against(service *serviceFinding) judgement {
	if service == nil {
		return j
	}
	if len(j.failures) < maxFailures {
		j.failures = append(j.failures, service.failure(service.endpoint))
	}
	if j.status != metav1.ConditionFalse {
		j.status, j.reason, j.message = metav1.ConditionFalse, service.reason, service.message
	}
	return j
}

const notAsked = v1alpha1.BareServerResult(bareserver.NotAsked)

// bareNotes say to a person what the server does without its gate, where that is worth knowing.
var bareNotes = map[v1alpha1.BareServerResult]string{
	v1alpha1.BareServerResult(bareserver.Open):      "Without its gate the server would let anybody in.",
	v1alpha1.BareServerResult(bareserver.AnyBearer): "Without its gate the server would take any token.",
	v1alpha1.BareServerResult(bareserver.Resets):    "Without its gate the server resets a request without a good token.",
	v1alpha1.BareServerResult(bareserver.Exits):     "Without its gate the server exits at a request without a good token.",
	v1alpha1.BareServerResult(bareserver.Hangs):     "Without its gate the server hangs at a request without a good token.",
}

// noted adds what was found out, or could not be, about what is around the pods.
func (j judgement) noted(subjects []subject) judgement {
	j.policy = v1alpha1.NetworkPolicyUnknown
	note := ""
	for _, s := range subjects {
		switch policy := s.around.policy; {
		case policy == v1alpha1.NetworkPolicyNotEnforced, policy == v1alpha1.NetworkPolicyEnforced && j.policy == v1alpha1.NetworkPolicyUnknown:
			j.policy = policy
		}
		if note == "" {
			note = s.around.note()
		}
		if s.bare != "" && (j.bare == "" || j.bare == notAsked) {
			j.bare = s.bare
		}
	}
	return j.withNote(note)
}

// withNote says in the message what is worth knowing besides.
func (j judgement) withNote(note string) judgement {
	if text := bareNotes[j.bare]; text != "" {
		j.message += " " + text
	}
	if note != "" && j.reason != v1alpha1.ReasonMeshInTheWay {
		j.message += " " + note
	}
	if j.policy == v1alpha1.NetworkPolicyNotEnforced && j.reason != v1alpha1.ReasonBypassReachable {
		j.message += " This cluster does not enforce NetworkPolicies: only that no other port of the pods listens keeps others from going past the gate."
	}
	return j
}

// maxFailures bounds the list in status, as its schema does.
const maxFailures = 10

// absent is the verdict when no pod gave evidence.
func absent(pods int, parked bool) judgement {
	out := judgement{status: metav1.ConditionUnknown}
	switch {
	case parked:
		out.reason, out.message = v1alpha1.ReasonScaledToZero, "There is no lock to try: replicas is 0."
	case pods == 0:
		out.reason, out.message = v1alpha1.ReasonNoPods, "There is no pod whose lock could be tried; the condition Available says why."
	default:
		out.reason, out.message = v1alpha1.ReasonNotYetProbed, "The pods are starting; their lock was not tried yet."
	}
	return out
}
