package authhealth

import (
	"cmp"
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
)

// Judgement is the verdict on a server.
type Judgement struct {
	Status  metav1.ConditionStatus
	Reason  string
	Message string
	// Pods that count, and how many of them are proven.
	Pods, ProvenPods int
	Failures         []v1alpha1.AuthFailure
	Policy           v1alpha1.NetworkPolicyEnforcement
	Bare             v1alpha1.BareServerResult
	// Rejecting names providers whose clients are all refused.
	Rejecting string
}

// Judge gives the verdict on a server from what stands about its pods.
//
// A pod that was seen open, or that can be entered past its gate, counts, whatever else it is: ending, of an old
// revision or not ready. Else the pods that
// take traffic count, those that are ready. Only where none is ready do the others say why. A young pod of which
// nothing stands is not held against the server.
//
// keep tells that a ready pod was not tried yet since the operator started: what stood before stands.
func Judge(subjects []Subject, parked bool) (verdict Judgement, keep bool) {
	roles := map[role][]Subject{}
	for _, s := range subjects {
		roles[s.role()] = append(roles[s.role()], s)
	}
	pending := len(roles[untried]) > 0
	switch {
	case len(roles[counts]) > 0:
		verdict = weigh(roles[counts])
		if verdict.Status == metav1.ConditionTrue {
			verdict.Message += late(roles[explains])
		}
		return verdict, pending && verdict.Status == metav1.ConditionTrue
	case pending:
		return Judgement{}, true
	case len(roles[explains]) > 0:
		return weigh(roles[explains]), false
	}
	return absent(len(subjects), parked), false
}

// weigh lets the worst evidence decide.
func weigh(counted []Subject) Judgement {
	slices.SortFunc(counted, func(a, b Subject) int {
		return cmp.Or(cmp.Compare(b.worst().Grade, a.worst().Grade), cmp.Compare(a.Pod, b.Pod))
	})
	out := Judgement{Pods: len(counted)}
	failing := 0
	for _, s := range counted {
		if s.Standing != nil && s.Standing.Grade == Proven {
			out.ProvenPods++
		}
		e := s.worst()
		if e.Grade == Proven {
			continue
		}
		if failing++; failing <= maxFailures {
			out.Failures = append(out.Failures, e.failure(s.Pod))
		}
	}
	worst := counted[0].worst()
	out.Reason = worst.Reason
	switch worst.Grade {
	case Proven:
		out.Status = metav1.ConditionTrue
		out.Message = fmt.Sprintf("%d of %d pods refused every bad token for the right reason and let the good one in.", out.ProvenPods, out.Pods)
		return out
	case Unknown:
		out.Status = metav1.ConditionUnknown
	default:
		out.Status = metav1.ConditionFalse
	}
	out.Message = fmt.Sprintf("Pod %s: %s", counted[0].Pod, worst.Message)
	if failing > 1 {
		out.Message += fmt.Sprintf(" %d more of %d pods failed as well.", failing-1, out.Pods)
	}
	if meshed(counted) {
		return out.blockedByMesh()
	}
	return out
}

// late says to a person why a pod takes no traffic that should have begun to long ago, while others serve; empty if none
// is. Nothing else would: Available tells of its containers alone.
func late(waiting []Subject) string {
	waiting = slices.DeleteFunc(slices.Clone(waiting), func(s Subject) bool { return s.young || s.Standing.Grade == Proven })
	if len(waiting) == 0 {
		return ""
	}
	first := slices.MinFunc(waiting, func(a, b Subject) int { return cmp.Compare(a.Pod, b.Pod) })
	text := fmt.Sprintf(" Pod %s takes no traffic: %s", first.Pod, first.Standing.Message)
	if len(waiting) > 1 {
		text += fmt.Sprintf(" %d more take none either.", len(waiting)-1)
	}
	return text
}

// blockedByMesh makes a verdict on connections that a mesh cut the one that it is: nothing is known of the gate behind.
func (j Judgement) blockedByMesh() Judgement {
	j.Status, j.Reason = metav1.ConditionUnknown, v1alpha1.ReasonServiceMeshBlocked
	j.Message = "The mesh proxies of all pods that have one cut the operator's connections, as they do with what does not come from the mesh. " +
		"Let the gate's two ports be reached without mutual TLS (Istio: a PeerAuthentication with portLevelMtls PERMISSIVE; " +
		"Linkerd: config.linkerd.io/skip-inbound-ports), or take the operator into the mesh. " + j.Message
	return j
}

// absent is the verdict when no pod gave evidence.
func absent(pods int, parked bool) Judgement {
	out := Judgement{Status: metav1.ConditionUnknown}
	switch {
	case parked:
		out.Reason, out.Message = v1alpha1.ReasonScaledToZero, "There is no lock to try: replicas is 0."
	case pods == 0:
		out.Reason, out.Message = v1alpha1.ReasonNoPods, "There is no pod whose lock could be tried; the condition Available says why."
	default:
		out.Reason, out.Message = v1alpha1.ReasonNotYetProbed, "The pods are starting; their lock was not tried yet."
	}
	return out
}

// maxFailures bounds the list in status, as its schema does.
const maxFailures = 10
