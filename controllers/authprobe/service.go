package authprobe

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/controllers/owned"
	"github.com/mcp-gatehouse/gatehouse/internal/authhealth"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/runner"
	"github.com/mcp-gatehouse/gatehouse/internal/probebudget"
	"github.com/mcp-gatehouse/gatehouse/internal/servicehealth"
)

// serviceCheck checks what a server's clients meet at its Service. It knows no readiness gates and no status: its result is a
// View, and its failure is nobody else's.
type serviceCheck struct {
	cached, live client.Reader
	prober       *runner.Prober
	budget       probebudget.Budget
	now          func() time.Time
	jitter       func() float64
}

func (r *Reconciler) serviceCheck() serviceCheck {
	return serviceCheck{cached: r.Client, live: r.Live, prober: r.Prober, budget: r.budget, now: r.Now, jitter: r.Jitter}
}

// run is the view of a Service after it was checked, if that is due. Nothing but worthless tokens is sent there: who
// answers is known only afterwards. By the id of the request the gate that answers knows, afterwards, that it was no
// client's; without the server's Secrets, use is nil, and it counts as one.
func (c serviceCheck) run(ctx context.Context, p *pass) (servicehealth.View, error) {
	now, settings, view := c.now(), p.settings(), p.service
	if now.Before(view.Due) {
		return view, nil
	}
	live := c.live != nil && !now.Before(view.LiveDue)
	endpoints, err := c.endpointSlices(ctx, p.server, live)
	if err != nil {
		return view, err
	}
	if live {
		view.LiveDue = now.Add(time.Duration(float64(authhealth.Renewal) * (0.95 + c.jitter()/10)))
	}
	if view, err = c.learnEndpoints(ctx, p, view, endpoints, now); err != nil {
		return view, err
	}
	if !servicehealth.AnyServing(endpoints) || c.budget.Take(probebudget.AskCost, now) > 0 {
		return view, nil
	}
	target := probe.Target{Exact: true, Timeout: settings.Probe.Timeout, CertificateSHA256: p.findings.Certificates()}
	if p.use != nil {
		target.RequestID = p.use.ServiceRequestID(c.now)
	}
	return c.ask(ctx, p.server, view, settings, target)
}

// learnEndpoints is the view after the EndpointSlices were read. What would be said of a stranger for the first time is looked at past
// the cache: pods and EndpointSlices come from two watches, and after an outage of the API server one is late.
func (c serviceCheck) learnEndpoints(
	ctx context.Context, p *pass, view servicehealth.View, endpoints []discoveryv1.EndpointSlice, now time.Time,
) (servicehealth.View, error) {
	after := view.LearnEndpoints(p.server, p.settings(), endpoints, p.pods, now)
	if c.live == nil || !after.SuspectsEndpoints() || view.SuspectsEndpoints() {
		return after, nil
	}
	endpoints, err := c.endpointSlices(ctx, p.server, true)
	if err != nil {
		return view, err
	}
	var pods corev1.PodList
	if err := c.live.List(ctx, &pods, client.InNamespace(p.server.Namespace), client.MatchingLabels{v1alpha1.LabelServer: p.server.Name}); err != nil {
		return view, fmt.Errorf("list pods: %w", err)
	}
	return view.LearnEndpoints(p.server, p.settings(), endpoints, pods.Items, now), nil
}

// ask asks one case at the Service's own address, which it puts into the target. Over TLS, gates show one of the
// target's certificates.
func (c serviceCheck) ask(
	ctx context.Context, server *v1alpha1.MCPServer, view servicehealth.View, settings desired.Settings, target probe.Target,
) (servicehealth.View, error) {
	var service corev1.Service
	if err := c.cached.Get(ctx, client.ObjectKeyFromObject(server), &service); client.IgnoreNotFound(err) != nil {
		return view, fmt.Errorf("read Service: %w", err)
	}
	// One that is not there has no address, and is nobody's.
	where := servicehealth.Address(service)
	if where == "" || !desired.Owns(server, &service) {
		return view.ForgetSeen(), nil
	}
	switch {
	case settings.TLSSecret == "":
		target.URL, target.CertificateSHA256 = "http://"+where+settings.Path, nil
	case len(target.CertificateSHA256) == 0:
		return view, nil // no gate was seen to show one
	default:
		target.URL = "https://" + where + settings.Path
	}
	asked := []probe.Case{probe.NoToken, probe.Malformed}[view.Looks%2]
	if view.Seen != nil { // Only the same question refutes it.
		asked = probe.Case(view.Seen.Question)
	}
	view.Looks++
	for {
		result, err := c.prober.Ask(ctx, target, asked)
		if err != nil || result.Outcome == probe.NotTried {
			return view, err
		}
		again := false
		if view, again = view.Learn(where, result, c.now()); !again {
			return view, nil
		}
	}
}

// endpointSlices gives all of a Service, whoever made them: kube-proxy asks for no more than the label. In the cache are
// those that the control plane made, which carry the labels of our Service; live asks for the others, too.
func (c serviceCheck) endpointSlices(ctx context.Context, server *v1alpha1.MCPServer, live bool) ([]discoveryv1.EndpointSlice, error) {
	options := []client.ListOption{client.InNamespace(server.Namespace), client.MatchingLabels{discoveryv1.LabelServiceName: server.Name}}
	reader := c.live
	if !live {
		reader, options = c.cached, append(options, owned.ByServer(server))
	}
	var list discoveryv1.EndpointSliceList
	if err := reader.List(ctx, &list, options...); err != nil {
		return nil, fmt.Errorf("list EndpointSlices: %w", err)
	}
	return list.Items, nil
}

// checkService checks the Service, and where somebody was let in there asks the pods at once: is it one of them? Where the check
// fails, the view is what is known without it.
func (r *Reconciler) checkService(ctx context.Context, p *pass) (err error) {
	p.service, err = r.serviceCheck().run(ctx, p)
	if err != nil || !p.service.Ask {
		return err
	}
	p.service.Ask = false
	p.findings = p.findings.Urged(r.Now())
	r.tryDue(ctx, p)
	p.service = p.service.Against(p.findings)
	return nil
}
