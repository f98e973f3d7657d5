package authprobe

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/token"
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
	// failing counts requests in a row that did not come to an answer of a gate; problem says what came of the last.
	failing int
	problem string
}

// look is the view of a Service after it was looked at, if that is due. Nothing but worthless tokens is sent there: who
// answers is known only afterwards.
func (r *Reconciler) look(ctx context.Context, server *v1alpha1.MCPServer, pods []corev1.Pod, view serviceView) (serviceView, error) {
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
	found := strays(endpoints, pods)
	view.since = persisting(view.since, found, now)
	view.finding = foreign(found, view.since, now)
	view.due = now.Add(settings.Probe.Interval)
	if len(found) > 0 && view.finding == nil {
		view.due = now.Add(min(endpointGrace, settings.Probe.Interval))
	}
	if !anyServing(endpoints) || r.budget.take(probe.Beat, now) > 0 {
		return view, nil
	}
	return r.walkIn(ctx, server, view, settings)
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

// walkIn asks one case at the Service's own address.
func (r *Reconciler) walkIn(ctx context.Context, server *v1alpha1.MCPServer, view serviceView, settings desired.Settings) (serviceView, error) {
	var service corev1.Service
	if err := r.Get(ctx, client.ObjectKeyFromObject(server), &service); client.IgnoreNotFound(err) != nil {
		return view, fmt.Errorf("read Service: %w", err)
	}
	// One that is not there has no address, and is nobody's.
	address := serviceAddress(service)
	if address == "" || !metav1.IsControlledBy(&service, server) {
		return view, nil
	}
	asked := []probe.Case{probe.NoToken, probe.Malformed}[view.looks%2]
	view.looks++
	ask := func() (int, error) {
		ctx, cancel := context.WithTimeout(ctx, settings.Probe.Timeout)
		defer cancel()
		return r.askService(ctx, server, "http://"+address+settings.Path, asked)
	}
	status, err := ask()
	if err == nil && status/100 == 2 {
		status, err = ask() // what counts at once is asked twice
	}
	view.failing, view.problem = view.failing+1, ""
	switch {
	case err != nil:
		view.problem = "no answer"
	case status/100 == 2 && view.finding == nil:
		view.finding = letIn(address, asked, status, r.Now())
	case status == http.StatusUnauthorized:
		view.failing = 0
	default:
		view.problem = fmt.Sprint("status ", status)
	}
	return view, nil
}

// letIn is the evidence that what answers at the Service's address lets somebody in, while the pods are judged by
// themselves.
func letIn(address string, asked probe.Case, status int, at time.Time) *serviceFinding {
	return &serviceFinding{endpoint: address, evidence: evidence{
		at: at, grade: failed, reason: v1alpha1.ReasonForeignEndpoint, question: string(asked),
		expected: "401", seen: fmt.Sprint(status),
		message: fmt.Sprintf("At the Service's address %s a request that must be refused (%s) was answered %d, twice: something that is no pod of this server answers there. "+
			"Look at the Service's EndpointSlices and at what redirects its address.", address, asked, status),
	}}
}

// askService sends the opening request of an MCP client, without a token or with a malformed one.
func (r *Reconciler) askService(ctx context.Context, server *v1alpha1.MCPServer, url string, asked probe.Case) (int, error) {
	const opening = `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},` +
		`"clientInfo":{"name":"mcp-client","version":"1.0.0"}}}`
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(opening))
	if err != nil {
		return 0, fmt.Errorf("ask the Service: %w", err)
	}
	request.Host = server.Name + "." + server.Namespace + ".svc"
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json, text/event-stream")
	if asked == probe.Malformed {
		request.Header.Set("Authorization", "Bearer "+token.Malformed)
	}
	response, err := r.HTTP.Do(request)
	if err != nil {
		return 0, errors.New("no answer")
	}
	return response.StatusCode, response.Body.Close()
}

// note says to a person that the way through the Service fails, once that is no chance. The pods were asked by
// themselves: it is no evidence against their lock.
func (v serviceView) note(threshold int) string {
	if v.failing < threshold || v.problem == "" {
		return ""
	}
	return fmt.Sprintf(" Through the Service's own address the operator got %s instead of a refusal; the pods were asked directly.", v.problem)
}
