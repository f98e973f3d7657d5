package gatestate

import (
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/authhealth"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/desired/podlock"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/admin"
	"github.com/mcp-gatehouse/gatehouse/internal/mask"
	"github.com/mcp-gatehouse/gatehouse/internal/publication"
)

// Difference is one thing that a gate has loaded and that is not, or no longer, published.
type Difference struct {
	standing publication.Standing
	// superseded is when it was replaced, if it is Outdated.
	superseded time.Time
	// part names what it is, for status; what and harm say it to a person, harm as a sentence.
	part, what, harm string
	// object is what the gate mounts and has it from, as "ConfigMap NAME" and by its name alone.
	object, name string
}

// MountedBy names the objects as the pod mounts them: one of an older template has a former name.
func MountedBy(server *v1alpha1.MCPServer, pod corev1.Pod, found []Difference) []Difference {
	for i, named := range found {
		for _, former := range desired.FormerNames(server, named.name) {
			if !podlock.GateMounts(pod.Spec, named.name) && podlock.GateMounts(pod.Spec, former) {
				found[i].object = strings.TrimSuffix(named.object, named.name) + former
				found[i].name = former
			}
		}
	}
	return found
}

// Unpublished is the evidence of what was found, the worst first.
func Unpublished(found []Difference, said admin.State, at time.Time) *authhealth.Evidence {
	worst := found[0]
	out := &authhealth.Evidence{
		At: at, Grade: authhealth.Open, Reason: v1alpha1.ReasonGateConfigMismatch, Confirmed: true,
		Question: worst.part, Expected: "as the operator published it", Unlike: worst.name,
	}
	if worst.standing == publication.Unsure {
		out.Grade, out.Reason, out.Confirmed, out.Unlike = authhealth.Unknown, v1alpha1.ReasonGateNotConverged, false, ""
		out.Seen = worst.what + ", not known to be published"
		out.Message = fmt.Sprintf("The gate has loaded %s, and the operator has not looked after this server for long enough to know "+
			"whether that was published: it takes %s for what was replaced to leave a pod.", worst.what, publication.Propagation)
		return out
	}
	out.Seen = worst.what + ", never published"
	out.Message = fmt.Sprintf("The gate has loaded %s, which the operator has not published. %s", worst.what, worst.harm)
	if worst.standing == publication.Outdated {
		replaced := worst.superseded.UTC().Format(time.RFC3339)
		out.Seen = worst.what + ", replaced at " + replaced
		out.Message = fmt.Sprintf("The gate has still loaded %s, which was replaced or withdrawn at %s, more than %s ago: "+
			"somebody keeps the change from it, or the kubelet of its node is late. %s", worst.what, replaced, publication.Propagation, worst.harm)
	}
	if len(found) > 1 {
		out.Message += fmt.Sprintf(" And %d more.", len(found)-1)
	}
	out.Message += fmt.Sprintf(" It has it from %s: find out who has written that, or keeps it from being written.", worst.object)
	if said.LastReloadError != "" {
		out.Message += " The gate says: " + mask.Trusted(said.LastReloadError) + "."
	}
	return out
}
