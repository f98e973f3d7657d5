package authprobe

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/controllers/mcpserver"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/probe"
)

// FieldOwner is the manager of AuthHealthy, of its evidence, and of the condition on pods.
const FieldOwner = client.FieldOwner("gatehouse-authprobe")

// workers is how many servers are tried at once. Trying is waiting: it costs next to nothing of the processor.
const workers = 32

// Reconciler keeps trying the locks.
type Reconciler struct {
	client.Client
	// Live reads past the cache; nil is never.
	Live   client.Reader
	Events events.EventRecorder
	// Now is the clock, Jitter a source of numbers in [0,1).
	Now    func() time.Time
	Jitter func() float64
	// Prober tries one gate, HTTP asks its admin port, Dial tries what else of a pod listens.
	Prober *probe.Prober
	HTTP   *http.Client
	Dial   probe.DialFunc
	// Issuer reads the cluster's own issuer, Brought the keys that users bring, Master the probe keys, and Account tokens of
	// the operator's own. Nil Master or Account: there are none.
	Issuer  *mcpserver.ClusterIssuer
	Brought *mcpserver.KeyReader
	Master  *mcpserver.ProbeMaster
	Account *Account
	// Sightings takes what pods were seen to do with keys; controller mcpserver reads it.
	Sightings *mcpserver.Sightings

	ledger  ledger
	brake   brake
	budget  budget
	metrics *metrics
}

// Options of a Reconciler. The zero value of each is its default.
type Options struct {
	// ProbeQPS caps what the prober makes, in requests per second; the default is DefaultQPS.
	ProbeQPS int
	// Registry takes the metrics; the default is none.
	Registry prometheus.Registerer
}

// NewReconciler gives a Reconciler for the real world. It fails if the registry has metrics of these names.
func NewReconciler(c client.Client, live client.Reader, recorder events.EventRecorder, options Options) (*Reconciler, error) {
	r := &Reconciler{
		Client: c, Live: live, Events: recorder, Now: time.Now, Jitter: rand.Float64,
		Prober: probe.New(probe.Options{}), Sightings: mcpserver.NewSightings(),
		Brought: &mcpserver.KeyReader{Live: live},
		// No proxy, no pool, no redirects: a pod is asked, and nothing else.
		HTTP: &http.Client{
			Transport:     &http.Transport{DisableKeepAlives: true},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		Dial:   (&net.Dialer{KeepAlive: -1}).DialContext,
		budget: newBudget(cmp.Or(options.ProbeQPS, DefaultQPS)),
	}
	r.metrics = newMetrics(r.brake.isEngaged)
	if options.Registry != nil {
		if err := r.metrics.register(options.Registry); err != nil {
			return nil, fmt.Errorf("register the prober's metrics: %w", err)
		}
	}
	return r, nil
}

// The rights of this controller, beside those of package mcpserver.
//
// The readiness gate is a condition in a pod's status.
// +kubebuilder:rbac:groups="",resources=pods/status,verbs=patch
//
// A token goes only to a pod that our ReplicaSet owns.
// +kubebuilder:rbac:groups=apps,resources=replicasets,verbs=list;watch
//
// Who stands behind the Service besides its pods; now and then it is asked past the cache.
// +kubebuilder:rbac:groups=discovery.k8s.io,resources=endpointslices,verbs=list;watch

// SetupWithManager starts the controller with the manager.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager) error {
	err := ctrl.NewControllerManagedBy(mgr).
		Named("authprobe").
		For(&v1alpha1.MCPServer{}, builder.WithPredicates(predicate.Or[client.Object](predicate.GenerationChangedPredicate{}, looked))).
		Watches(&corev1.Pod{}, handler.EnqueueRequestsFromMapFunc(mcpserver.ServerOfPod)).
		Watches(&corev1.Secret{}, handler.EnqueueRequestsFromMapFunc(mcpserver.ServerOfPod), builder.WithPredicates(keysSecrets)).
		WithOptions(controller.Options{MaxConcurrentReconciles: workers}).
		Complete(reconcile.Func(r.Reconcile))
	if err != nil {
		return fmt.Errorf("set up controller authprobe: %w", err)
	}
	return nil
}

// looked passes that the other controller has looked at a server, or at a changed spec of it: silence lasts from the first time
// on, and from then on it is known what is in force.
var looked = predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
	before, now := acceptedOf(e.ObjectOld), acceptedOf(e.ObjectNew)
	return now != nil && (before == nil || before.ObservedGeneration != now.ObservedGeneration)
}}

// Reconcile tries the pods of one server that are due, and reports.
func (r *Reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	var found v1alpha1.MCPServer
	if err := r.Get(ctx, request.NamespacedName, &found); err != nil {
		return ctrl.Result{}, r.forget(request.NamespacedName, err)
	}
	if !found.DeletionTimestamp.IsZero() {
		return ctrl.Result{}, nil
	}
	server := r.inForce(ctx, &found)
	pods, err := mcpserver.PodsOf(ctx, r.Client, server)
	if err != nil {
		return ctrl.Result{}, err
	}
	if len(pods) == 0 && acceptedOf(server) == nil {
		return ctrl.Result{}, nil // it waits for its turn, and the event of that brings us back
	}
	before, service := r.ledger.load(request.NamespacedName)
	use, err := r.credentials(ctx, server)
	if err != nil {
		return ctrl.Result{}, err
	}
	entries := r.tryDue(ctx, server, pods, before, use)
	if entries, service, err = r.lookAtService(ctx, server, pods, entries, service, use); err != nil {
		return ctrl.Result{}, err
	}
	interval := desired.Resolve(server).Probe.Interval
	braked, news := r.brake.see(request.NamespacedName, standingOf(pods, entries), interval, r.Now())
	if news {
		r.Events.Eventf(server, nil, corev1.EventTypeWarning, v1alpha1.EventProberSuspect, "Probe", "%s", brakeMessage)
	}
	// An open lock is withdrawn first of all. A proof is told before its pod takes traffic, which the other controller sums
	// up; that it cannot be told keeps no pod out.
	err = r.setGates(ctx, corev1.ConditionFalse, pods, entries, braked)
	quiet := silence(server, entries, service, r.Now())
	if quiet == 0 {
		err = errors.Join(err, r.report(ctx, server, pods, entries, service, braked, use.note()))
	}
	err = errors.Join(err, r.setGates(ctx, corev1.ConditionTrue, pods, entries, braked))
	r.ledger.store(request.NamespacedName, entries, service)
	if err != nil {
		return ctrl.Result{}, err
	}
	again, err := r.watchKeys(ctx, server, pods, use)
	if err != nil {
		return ctrl.Result{}, err
	}
	again = mcpserver.Sooner(r.untilDue(entries, pods, service.due, interval), again)
	// One class for all: what the library puts behind when the operator starts would stay there, and while many pods are
	// new nobody's lock would be tried again.
	return ctrl.Result{RequeueAfter: mcpserver.Sooner(again, quiet), Priority: ptr.To(0)}, nil
}

// forget drops what is known of a server that is not found; any other error stays.
func (r *Reconciler) forget(server types.NamespacedName, err error) error {
	if !apierrors.IsNotFound(err) {
		return fmt.Errorf("read MCPServer: %w", err)
	}
	r.ledger.forget(server)
	r.brake.forget(server, r.Now())
	r.Sightings.Keep(server, nil)
	r.metrics.forget(server)
	return nil
}

// tryDue puts a round to every pod that is due and answers or takes traffic, all at once, and gives the ledger's entries
// afterwards: those of pods that exist.
func (r *Reconciler) tryDue(
	ctx context.Context, server *v1alpha1.MCPServer, pods []corev1.Pod, before map[types.UID]entry, use *credentials,
) map[types.UID]entry {
	settings := desired.Resolve(server).Probe
	results := make([]*entry, len(pods))
	var rounds sync.WaitGroup
	for i, pod := range pods {
		known, seenBefore := before[pod.UID]
		// A pod that takes traffic without a gate that runs is looked at, not passed over.
		if use == nil || !isAnswering(pod) && !containersReady(pod) {
			if seenBefore {
				known.due, known.hindered = r.Now().Add(settings.Interval), hinderedByKeys
				if use != nil {
					known.hindered = "its gate does not run"
				}
				results[i] = &known
			}
			continue
		}
		if !seenBefore {
			known.failures = recalled(server, pod)
		}
		known = r.arrive(known, seenBefore, pod, server.Generation, settings)
		results[i] = &known
		if r.isDue(&known, settings, len(use.controls)) {
			rounds.Go(func() { known = r.tryOne(ctx, server, pod, known, *use) })
		}
	}
	rounds.Wait()
	after := map[types.UID]entry{}
	for i, pod := range pods {
		if results[i] != nil {
			after[pod.UID] = *results[i]
		}
	}
	return after
}

// isDue tells that a pod is to be tried now, and pays for it. What the budget does not allow is put off, and not all of
// it to the same moment. Pods whose evidence is young leave others the way.
func (r *Reconciler) isDue(known *entry, settings desired.Probe, controls int) bool {
	now := r.Now()
	if now.Before(known.due) {
		return false
	}
	// A basis that changes is known only when the gate has said so: the round is paid for as what it is likely to be.
	cost := costOf(known.tier(known.full.basis, now), controls)
	if known.urgent || known.isProven() && now.Sub(known.standing.at) > lastingOf(settings)-settings.Interval {
		r.budget.charge(min(cost, fullCost), now) // else its proof would lapse for nothing that it did
		return true
	}
	take := r.budget.take
	if known.isProven() && now.Sub(known.standing.at) < 2*settings.Interval {
		take = r.budget.takeSpare
	}
	if wait := take(cost, now); wait > 0 {
		known.hindered = hinderedByBudget
		known.due = now.Add(wait + time.Duration(r.Jitter()*float64(time.Second)))
		return false
	}
	return true
}

// tryOne gives the entry of a pod after a round.
func (r *Reconciler) tryOne(ctx context.Context, server *v1alpha1.MCPServer, pod corev1.Pod, known entry, use credentials) entry {
	settings, began := desired.Resolve(server).Probe, r.Now()
	seen, counts := r.round(ctx, server, pod, known, use)
	if !counts {
		known.due, known.hindered = r.Now().Add(time.Second), "its rounds do not count; the log of the operator says why"
		return known
	}
	r.metrics.round(client.ObjectKeyFromObject(server), seen, began)
	if seen.said != nil {
		r.Sightings.Load(server, pod.UID, mcpserver.Told{
			Keys: seen.said.Keys, Unserved: unservedNow(*seen.said, use), Secrets: seen.said.Secrets,
		}, r.Now())
		r.metrics.heard(client.ObjectKeyFromObject(server), *seen.said)
	}
	known = known.learn(seen, settings, r.Jitter())
	known.due = r.Now().Add(known.delay(settings, r.Jitter()))
	if again := known.around.recheck(); !again.IsZero() && again.Before(known.due) {
		known.due = again
	}
	return known
}

// arrive makes a pod due: at once when it is new or when the spec was changed, and when another process answers in it,
// unless rounds have failed before; within an interval when it was proven before this operator started, so that a restart
// of the operator asks all servers no faster than usual.
func (r *Reconciler) arrive(known entry, seenBefore bool, pod corev1.Pod, generation int64, settings desired.Probe) entry {
	instance := instanceOf(pod)
	switch {
	case !seenBefore && gateOf(pod) == corev1.ConditionTrue:
		known.due = r.Now().Add(time.Duration(float64(settings.Interval) * r.Jitter()))
	case !seenBefore || known.generation != generation:
		known.due = r.Now()
	case known.instance != instance:
		// Never later than it was to be: a server that ends again and again would put it off for ever.
		if early := r.Now().Add(known.respite(settings)); early.Before(known.due) {
			known.due = early
		}
	}
	known.generation, known.instance = generation, instance
	return known
}

// untilDue is the time until the next pod is due. A pod that cannot be tried yet is looked at again after an interval:
// no event tells that keys have become usable. Without pods there is nothing to wait for; a pod's events bring us back.
func (r *Reconciler) untilDue(entries map[types.UID]entry, pods []corev1.Pod, service time.Time, interval time.Duration) time.Duration {
	var next time.Duration
	if len(pods) > 0 {
		next = min(interval, max(service.Sub(r.Now()), time.Millisecond))
	}
	for _, e := range entries {
		next = min(next, max(e.due.Sub(r.Now()), time.Millisecond))
	}
	return next
}
