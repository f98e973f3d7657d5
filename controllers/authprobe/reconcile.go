package authprobe

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/controllers/owned"
	"github.com/mcp-gatehouse/gatehouse/controllers/probecredentials"
	"github.com/mcp-gatehouse/gatehouse/internal/authhealth"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/probeplan"
	"github.com/mcp-gatehouse/gatehouse/internal/requeue"
	"github.com/mcp-gatehouse/gatehouse/internal/servicehealth"
)

// pass is one pass over a server: what was read of it, and what is known of it by now.
type pass struct {
	// server has the effective spec.
	server *v1alpha1.MCPServer
	pods   []corev1.Pod
	// use is what its lock is tried with; nil while there is nothing.
	use      *probeplan.Credentials
	findings authhealth.Findings
	service  servicehealth.View
	// tripped tells that the circuit breaker is.
	tripped bool
}

func (p *pass) settings() desired.Settings { return desired.Resolve(p.server) }

// Reconcile runs the phases of a pass over one server: it reads what is known, tries the pods that are due and the Service, takes
// pods that are open out of service, reports, puts proven pods into service, and asks about keys for which a rotation waits.
func (r *Reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	p, err := r.read(ctx, request.NamespacedName)
	if p == nil || err != nil {
		return ctrl.Result{}, err
	}
	r.tryDue(ctx, p)
	// Its failure is its own: what was seen on the pods counts whatever comes of it.
	unchecked := r.checkService(ctx, p)
	r.observe(p)
	r.tellUnlike(p)
	// An open lock is withdrawn first of all. A proof is told before its pod takes traffic, which the other controller sums
	// up; that it cannot be told keeps no pod out.
	err = r.setGates(ctx, p, corev1.ConditionFalse)
	quiet := silence(p.server, p.findings, p.service, r.Now())
	if quiet == 0 {
		err = errors.Join(err, r.report(ctx, p))
	}
	err = errors.Join(err, r.setGates(ctx, p, corev1.ConditionTrue))
	r.findings.store(request.NamespacedName, p.findings, p.service)
	if err != nil {
		return ctrl.Result{}, errors.Join(err, unchecked)
	}
	again, err := r.watchKeys(ctx, p)
	if err = errors.Join(err, unchecked); err != nil {
		return ctrl.Result{}, err
	}
	again = requeue.Sooner(p.untilDue(r.Now()), again)
	// One class for all: what the library puts behind when the operator starts would stay there, and while many pods are
	// new nobody's lock would be tried again.
	return ctrl.Result{RequeueAfter: requeue.Sooner(again, quiet), Priority: ptr.To(0)}, nil
}

// read reads what a pass over a server needs; nil where there is nothing to do.
func (r *Reconciler) read(ctx context.Context, name types.NamespacedName) (*pass, error) {
	var found v1alpha1.MCPServer
	if err := r.Get(ctx, name, &found); err != nil {
		return nil, r.forget(name, err)
	}
	if !found.DeletionTimestamp.IsZero() {
		return nil, nil
	}
	p := &pass{server: r.specs().effective(ctx, &found)}
	var err error
	if p.pods, err = owned.Pods(ctx, r.Client, p.server); err != nil {
		return nil, err
	}
	if len(p.pods) == 0 && acceptedOf(p.server) == nil {
		return nil, nil // it waits for its turn, and the event of that brings us back
	}
	p.findings, p.service = r.findings.load(name)
	p.use, err = r.credentials(ctx, p.server)
	return p, err
}

// credentials reads what the lock of a server is tried with; nil if there is nothing yet.
func (r *Reconciler) credentials(ctx context.Context, server *v1alpha1.MCPServer) (*probeplan.Credentials, error) {
	reader := probecredentials.Reader{Client: r.Client, Live: r.Live, Issuer: r.Issuer, Brought: r.Brought, Master: r.Master, Account: r.Account, Now: r.Now}
	return reader.Of(ctx, server)
}

// specs returns what reads the effective spec.
func (r *Reconciler) specs() specReader {
	return specReader{cached: r.Client, live: r.Live, publications: r.Publications, now: r.Now}
}

// observe has the circuit breaker take note of the server.
func (r *Reconciler) observe(p *pass) {
	name := client.ObjectKeyFromObject(p.server)
	tripped, news := r.breaker.Observe(name, standingOf(p.pods, p.findings), p.settings().Probe.Interval, r.Now())
	if p.tripped = tripped; news {
		r.Events.Eventf(p.server, nil, corev1.EventTypeWarning, v1alpha1.EventProberSuspect, "Probe", "%s", suspectMessage)
	}
}

// forget drops what is known of a server that is not found; any other error stays.
func (r *Reconciler) forget(server types.NamespacedName, err error) error {
	if !apierrors.IsNotFound(err) {
		return fmt.Errorf("read MCPServer: %w", err)
	}
	r.findings.forget(server)
	r.breaker.Forget(server, r.Now())
	r.KeyObservations.Keep(server, nil)
	r.metrics.Forget(server)
	return nil
}

// untilDue is the time until the next pod is due. A pod that cannot be tried yet is looked at again after an interval:
// no event tells that keys have become usable. Without pods there is nothing to wait for; a pod's events bring us back.
func (p *pass) untilDue(now time.Time) time.Duration {
	var next time.Duration
	if len(p.pods) > 0 {
		next = min(p.settings().Probe.Interval, max(p.service.Due.Sub(now), time.Millisecond))
	}
	for _, e := range p.findings {
		next = min(next, max(e.Due.Sub(now), time.Millisecond))
	}
	return next
}
