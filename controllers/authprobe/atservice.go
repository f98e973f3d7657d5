package authprobe

import (
	"context"
	"fmt"
	"maps"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/probe"
)

// forgetSeen is the view where there is no address any more at which somebody was let in, or nothing behind it.
func (v serviceView) forgetSeen() serviceView {
	if v.finding == v.seen {
		v.finding = nil
	}
	v.seen, v.right = nil, 0
	return v
}

// rightAtService are the refusals that refute what was let in at the Service's address: two at once, and one at a later look.
const rightAtService = 3

// learn is the view after one case at the Service's address; again: it is to be put once more at once.
func (v serviceView) learn(address string, result probe.Result, at time.Time) (after serviceView, again bool) {
	v.failing, v.problem = v.failing+1, ""
	switch {
	case result.Outcome == probe.Passed:
		v.failing, v.right = 0, v.right+1
		if v.seen == nil || v.right >= rightAtService {
			v.seen, v.right = nil, 0
			if v.finding != nil && v.finding.question != endpointsQuestion {
				v.finding = nil
			}
			return v, false
		}
		return v, v.right == 1
	case result.Confirmed:
		v.seen, v.right, v.ask = letIn(address, result, at), 0, true
		if v.finding == nil || v.finding.question != endpointsQuestion {
			v.finding = v.seen
		}
	default:
		v.problem = result.Seen
	}
	return v, false
}

// lookAtService looks at the Service, and where somebody was let in there asks the pods at once: is it one of them?
func (r *Reconciler) lookAtService(
	ctx context.Context, server *v1alpha1.MCPServer, pods []corev1.Pod, entries map[types.UID]entry, view serviceView, use *credentials,
) (map[types.UID]entry, serviceView, error) {
	view, err := r.look(ctx, server, pods, entries, use, view)
	if err != nil || !view.ask {
		return entries, view, err
	}
	view.ask = false
	entries = r.tryDue(ctx, server, pods, urged(entries, r.Now()), use)
	return entries, view.against(entries), nil
}

// urged are the entries of pods that are to be asked everything now, whatever else waits.
func urged(entries map[types.UID]entry, now time.Time) map[types.UID]entry {
	out := maps.Clone(entries)
	for uid, e := range out {
		e.due, e.urgent, e.full = now, true, fullProof{}
		out[uid] = e
	}
	return out
}

// against is the view once the pods were asked what was let in at the Service's address, at their own and under its names: it
// says what is known by that.
func (v serviceView) against(entries map[types.UID]entry) serviceView {
	if v.seen == nil {
		return v
	}
	refused, asked := 0, 0
	for _, e := range entries {
		if e.standing != nil && !e.standing.at.Before(v.seen.at) {
			asked++
			if e.standing.grade == proven {
				refused++
			}
		}
	}
	seen := *v.seen
	switch {
	case asked == 0:
		seen.message += " The pods could not be asked the same at once."
	case refused == asked:
		seen.message += fmt.Sprintf(" Asked the same at once, at their own addresses and under the Service's names, the pods that could be asked (%d) refused it: "+
			"something else answers at the Service's address, or only what comes that way is let in. "+
			"Look at the Service's EndpointSlices and at what redirects its address.", asked)
	default:
		seen.message += fmt.Sprintf(" Of its pods %d were asked the same at once, at their own addresses, and %d refused it.", asked, refused)
	}
	if v.finding == v.seen {
		v.finding = &seen
	}
	v.seen = &seen
	return v
}

// letIn is the evidence that what answers at the Service's address lets somebody in, while the pods are judged by
// themselves.
func letIn(address string, result probe.Result, at time.Time) *serviceFinding {
	return &serviceFinding{endpoint: address, evidence: evidence{
		at: at, grade: failed, reason: v1alpha1.ReasonForeignEndpoint, question: string(result.Case),
		expected: result.Expected, seen: result.Seen,
		message: fmt.Sprintf("At the Service's address %s %s was let in, twice (%s).", address, result.Case.Asked(), result.Seen),
	}}
}
