package authprobe

import (
	"context"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/probe"
)

// serviceView is what is known of a server's Service: the tier that sees what clients see.
type serviceView struct {
	// due is when to look next, and liveDue when to look past the cache.
	due, liveDue time.Time
	// looks counts them: the cases take turns.
	looks int
	// since is when an address became strange.
	since map[string]time.Time
	// finding is nil while nothing speaks against the Service.
	finding *serviceFinding
	// seen is what was let in at the Service's address and is not refuted, and right how often the same was refused since. ask:
	// it was let in just now, so the pods are to be asked.
	seen  *serviceFinding
	right int
	ask   bool
	// departed are addresses of pods of the server that are gone.
	departed departures
	// failing counts requests in a row that did not come to an answer of a gate; problem says what came of the last.
	failing int
	problem string
}

// look is the view of a Service after it was looked at, if that is due. Nothing but worthless tokens is sent there: who
// answers is known only afterwards. By the id of the request the gate that answers knows, afterwards, that it was no
// client's; without the server's Secrets, use is nil, and it counts as one.
func (r *Reconciler) look(
	ctx context.Context, server *v1alpha1.MCPServer, pods []corev1.Pod, entries map[types.UID]entry, use *credentials, view serviceView,
) (serviceView, error) {
	now, settings := r.Now(), desired.Resolve(server)
	if now.Before(view.due) {
		return view, nil
	}
	live := r.Live != nil && !now.Before(view.liveDue)
	endpoints, err := r.endpointSlices(ctx, server, live)
	if err != nil {
		return view, err
	}
	if live {
		view.liveDue = now.Add(time.Duration(float64(renewal) * (0.95 + r.Jitter()/10)))
	}
	view.departed = view.departed.after(pods, now)
	found := view.departed.forgive(strays(endpoints, pods), now)
	view.since = persisting(view.since, found, now)
	view.ask = false
	if view.finding = foreign(found, view.since, now); view.finding == nil {
		view.finding = view.seen
	}
	view.due = now.Add(settings.Probe.Interval)
	if len(found) > 0 && view.finding == nil {
		view.due = now.Add(min(endpointGrace, settings.Probe.Interval))
	}
	if settings.Replicas == 0 {
		view = view.forgetSeen()
	}
	if !anyServing(endpoints) || r.budget.take(askCost, now) > 0 {
		return view, nil
	}
	target := probe.Target{Exact: true, Timeout: settings.Probe.Timeout, CertificateSHA256: certificatesOf(entries)}
	if use != nil {
		target.RequestID = use.serviceRequestID(r.Now)
	}
	return r.walkIn(ctx, server, view, settings, target)
}

func anyServing(endpoints []discoveryv1.EndpointSlice) bool {
	for _, slice := range endpoints {
		for _, endpoint := range slice.Endpoints {
			if isServing(endpoint) {
				return true
			}
		}
	}
	return false
}

// walkIn asks one case at the Service's own address, which it puts into the target. Over TLS, gates show one of the
// target's certificates.
func (r *Reconciler) walkIn(
	ctx context.Context, server *v1alpha1.MCPServer, view serviceView, settings desired.Settings, target probe.Target,
) (serviceView, error) {
	var service corev1.Service
	if err := r.Get(ctx, client.ObjectKeyFromObject(server), &service); client.IgnoreNotFound(err) != nil {
		return view, fmt.Errorf("read Service: %w", err)
	}
	// One that is not there has no address, and is nobody's.
	address := serviceAddress(service)
	if address == "" || !metav1.IsControlledBy(&service, server) {
		return view.forgetSeen(), nil
	}
	switch {
	case settings.TLSSecret == "":
		target.URL, target.CertificateSHA256 = "http://"+address+settings.Path, nil
	case len(target.CertificateSHA256) == 0:
		return view, nil // no gate was seen to show one
	default:
		target.URL = "https://" + address + settings.Path
	}
	asked := []probe.Case{probe.NoToken, probe.Malformed}[view.looks%2]
	if view.seen != nil { // Only the same question refutes it.
		asked = probe.Case(view.seen.question)
	}
	view.looks++
	for {
		result, err := r.Prober.Ask(ctx, target, asked)
		if err != nil || result.Outcome == probe.NotTried {
			return view, err
		}
		again := false
		if view, again = view.learn(address, result, r.Now()); !again {
			return view, nil
		}
	}
}

// certificatesOf are the digests of those that the gates of pods were seen to show.
func certificatesOf(entries map[types.UID]entry) []string {
	var out []string
	for _, e := range entries {
		if e.certificate != "" {
			out = append(out, e.certificate)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// note says to a person that the way through the Service fails, once that is no chance. The pods were asked by
// themselves: it is no evidence against their lock.
func (v serviceView) note(threshold int) string {
	if v.failing < threshold || v.problem == "" {
		return ""
	}
	return fmt.Sprintf(" Through the Service's own address the operator saw %s instead of the gate's refusal; the pods were asked directly.", v.problem)
}
