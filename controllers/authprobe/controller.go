package authprobe

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/controllers/keysource"
	"github.com/mcp-gatehouse/gatehouse/controllers/owned"
	"github.com/mcp-gatehouse/gatehouse/controllers/probecredentials"
	"github.com/mcp-gatehouse/gatehouse/internal/circuitbreaker"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/keyobservation"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/runner"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/wire"
	"github.com/mcp-gatehouse/gatehouse/internal/probebudget"
	"github.com/mcp-gatehouse/gatehouse/internal/probemetrics"
	"github.com/mcp-gatehouse/gatehouse/internal/publication"
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
	Prober *runner.Prober
	HTTP   *http.Client
	Dial   wire.DialFunc
	// Issuer reads the cluster's own issuer, Brought the keys that users bring, Master the probe keys, and Account tokens of
	// the operator's own. Nil Master or Account: there are none.
	Issuer  *keysource.ClusterIssuer
	Brought *keysource.KeyReader
	Master  *keysource.ProbeMaster
	Account *probecredentials.Account
	// KeyObservations takes what pods were seen to do with keys; controller mcpserver reads it.
	KeyObservations *keyobservation.Store
	// Publications are what gates were given to load; controller mcpserver writes them.
	Publications *publication.Store

	findings findingStore
	breaker  circuitbreaker.Breaker
	budget   probebudget.Budget
	metrics  *probemetrics.Metrics
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
		Prober: runner.New(runner.Options{}), KeyObservations: keyobservation.NewStore(), Publications: &publication.Store{},
		Brought: &keysource.KeyReader{Live: live},
		// No proxy, no pool, no redirects: a pod is asked, and nothing else.
		HTTP: &http.Client{
			Transport:     &http.Transport{DisableKeepAlives: true},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		Dial:   (&net.Dialer{KeepAlive: -1}).DialContext,
		budget: probebudget.New(cmp.Or(options.ProbeQPS, probebudget.DefaultQPS)),
	}
	r.metrics = probemetrics.New(r.breaker.IsTripped)
	if options.Registry != nil {
		if err := r.metrics.Register(options.Registry); err != nil {
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
		Watches(&corev1.Pod{}, handler.EnqueueRequestsFromMapFunc(owned.ServerOf)).
		Watches(&corev1.Secret{}, handler.EnqueueRequestsFromMapFunc(owned.ServerOf), builder.WithPredicates(keysSecrets)).
		WithOptions(controller.Options{MaxConcurrentReconciles: workers}).
		Complete(reconcile.Func(r.Reconcile))
	if err != nil {
		return fmt.Errorf("set up controller authprobe: %w", err)
	}
	return nil
}

// looked passes that the other controller has looked at a server, or at a changed spec of it: silence lasts from the first time
// on, and from then on its effective spec is known.
var looked = predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
	before, now := acceptedOf(e.ObjectOld), acceptedOf(e.ObjectNew)
	if renamesOf(e.ObjectOld) != renamesOf(e.ObjectNew) {
		return true
	}
	return now != nil && (before == nil || before.ObservedGeneration != now.ObservedGeneration)
}}

// renamesOf counts the objects of a server that got another name: somebody may have spoilt them to have a gate load what it must
// not, so its gates are asked at once.
func renamesOf(object client.Object) int {
	server, ok := object.(*v1alpha1.MCPServer)
	if !ok {
		return 0
	}
	return len(server.Status.Renamed)
}

// keysSecrets lets changes of the private keys be looked at.
var keysSecrets = predicate.NewPredicateFuncs(func(secret client.Object) bool {
	// It may have got another name, behind that.
	first := desired.KeysSecretName(&v1alpha1.MCPServer{ObjectMeta: metav1.ObjectMeta{Name: secret.GetLabels()[v1alpha1.LabelServer]}})
	return strings.HasPrefix(secret.GetName(), first)
})

// acceptedOf is the condition that a server has once the other controller has looked at it; nil before.
func acceptedOf(object client.Object) *metav1.Condition {
	server, ok := object.(*v1alpha1.MCPServer)
	if !ok {
		return nil
	}
	return meta.FindStatusCondition(server.Status.Conditions, v1alpha1.ConditionAccepted)
}
