package servicehealth

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/authhealth"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/probe"
)

// View is what is known of a server's Service: the tier that sees what clients see.
type View struct {
	// Due is when to look next, and LiveDue when to look past the cache.
	Due, LiveDue time.Time
	// Looks counts them: the cases take turns.
	Looks int
	// since is when an address became strange.
	since map[string]time.Time
	// Finding is nil while nothing speaks against the Service.
	Finding *authhealth.ServiceFinding
	// Seen is what was let in at the Service's address and is not refuted, and right how often the same was refused since. Ask:
	// it was let in just now, so the pods are to be asked.
	Seen  *authhealth.ServiceFinding
	right int
	Ask   bool
	// departed are addresses of pods of the server that are gone.
	departed Departures
	// Failing counts requests in a row that did not come to an answer of a gate; problem says what came of the last.
	Failing int
	problem string
}

// rightAtService are the refusals that refute what was let in at the Service's address: two at once, and one at a later look.
const rightAtService = 3

// ForgetSeen is the view where there is no address any more at which somebody was let in, or nothing behind it.
func (v View) ForgetSeen() View {
	if v.Finding == v.Seen {
		v.Finding = nil
	}
	v.Seen, v.right = nil, 0
	return v
}

// Learn is the view after one case at the Service's address; again: it is to be put once more at once.
func (v View) Learn(address string, result probe.Result, at time.Time) (after View, again bool) {
	v.Failing, v.problem = v.Failing+1, ""
	switch {
	case result.Outcome == probe.Passed:
		v.Failing, v.right = 0, v.right+1
		if v.Seen == nil || v.right >= rightAtService {
			v.Seen, v.right = nil, 0
			if v.Finding != nil && v.Finding.Question != endpointsQuestion {
				v.Finding = nil
			}
			return v, false
		}
		return v, v.right == 1
	case result.Confirmed:
		v.Seen, v.right, v.Ask = letIn(address, result, at), 0, true
		if v.Finding == nil || v.Finding.Question != endpointsQuestion {
			v.Finding = v.Seen
		}
	default:
		v.problem = result.Seen
	}
	return v, false
}

// Against is the view once the pods were asked what was let in at the Service's address, at their own and under its names: it
// says what is known by that.
func (v View) Against(findings authhealth.Findings) View {
	if v.Seen == nil {
		return v
	}
	refused, asked := 0, 0
	for _, e := range findings {
		if e.Standing != nil && !e.Standing.At.Before(v.Seen.At) {
			asked++
			if e.Standing.Grade == authhealth.Proven {
				refused++
			}
		}
	}
	seen := *v.Seen
	switch {
	case asked == 0:
		seen.Message += " The pods could not be asked the same at once."
	case refused == asked:
		seen.Message += fmt.Sprintf(" Asked the same at once, at their own addresses and under the Service's names, the pods that could be asked (%d) refused it: "+
			"something else answers at the Service's address, or only what comes that way is let in. "+
			"Look at the Service's EndpointSlices and at what redirects its address.", asked)
	default:
		seen.Message += fmt.Sprintf(" Of its pods %d were asked the same at once, at their own addresses, and %d refused it.", asked, refused)
	}
	if v.Finding == v.Seen {
		v.Finding = &seen
	}
	v.Seen = &seen
	return v
}

// Note says to a person that the way through the Service fails, once that is no chance. The pods were asked by
// themselves: it is no evidence against their lock.
func (v View) Note(threshold int) string {
	if v.Failing < threshold || v.problem == "" {
		return ""
	}
	return fmt.Sprintf(" Through the Service's own address the operator saw %s instead of the gate's refusal; the pods were asked directly.", v.problem)
}

// LearnEndpoints is the view after the Service's EndpointSlices were read; pods are those of the server.
func (v View) LearnEndpoints(
	server *v1alpha1.MCPServer, settings desired.Settings, endpoints []discoveryv1.EndpointSlice, pods []corev1.Pod, now time.Time,
) View {
	isFirst, found := v.departed == nil, strays(server, endpoints, pods)
	if v.departed = v.departed.after(pods, now); isFirst {
		v.departed = v.departed.inherit(server.Name, found, now)
	}
	found = v.departed.forgive(found, now)
	v.since = persisting(v.since, found, now)
	v.Ask = false
	if v.Finding = foreign(found, v.since, now); v.Finding == nil {
		v.Finding = v.Seen
	}
	v.Due = now.Add(settings.Probe.Interval)
	if len(found) > 0 && v.Finding == nil {
		v.Due = now.Add(min(endpointGrace, settings.Probe.Interval))
	}
	if settings.Replicas == 0 {
		return v.ForgetSeen()
	}
	return v
}

// SuspectsEndpoints reports whether the Service is found to lead to strangers.
func (v View) SuspectsEndpoints() bool {
	return v.Finding != nil && v.Finding.Question == endpointsQuestion
}

// letIn is the evidence that what answers at the Service's address lets somebody in, while the pods are judged by
// themselves.
func letIn(address string, result probe.Result, at time.Time) *authhealth.ServiceFinding {
	return &authhealth.ServiceFinding{Endpoint: address, Evidence: authhealth.Evidence{
		At: at, Grade: authhealth.Failed, Reason: v1alpha1.ReasonForeignEndpoint, Question: string(result.Case),
		Expected: result.Expected, Seen: result.Seen,
		Message: fmt.Sprintf("At the Service's address %s %s was let in, twice (%s).", address, result.Case.Asked(), result.Seen),
	}}
}
