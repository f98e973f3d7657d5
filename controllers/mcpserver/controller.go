package mcpserver

import (
	"cmp"
	"context"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/controllers/keypublisher"
	"github.com/mcp-gatehouse/gatehouse/controllers/keysource"
	"github.com/mcp-gatehouse/gatehouse/controllers/owned"
	"github.com/mcp-gatehouse/gatehouse/controllers/ownkeys"
	"github.com/mcp-gatehouse/gatehouse/controllers/podlogs"
	"github.com/mcp-gatehouse/gatehouse/controllers/reporting"
	"github.com/mcp-gatehouse/gatehouse/controllers/routes"
	"github.com/mcp-gatehouse/gatehouse/controllers/serverobjects"
	"github.com/mcp-gatehouse/gatehouse/controllers/ssa"
	"github.com/mcp-gatehouse/gatehouse/controllers/watches"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/keyobservation"
	"github.com/mcp-gatehouse/gatehouse/internal/publication"
	"github.com/mcp-gatehouse/gatehouse/internal/rollout"
	"github.com/mcp-gatehouse/gatehouse/internal/serverstatus"
	"github.com/mcp-gatehouse/gatehouse/internal/terminal"
)

// workers is how many servers are looked at side by side. A new one takes a dozen requests to the API server, one after the
// other, and waits for it most of the time: one worker would keep a large fleet waiting for minutes.
const workers = 16

// Reconciler makes what MCPServers ask for.
type Reconciler struct {
	// Client reads from the cache and writes.
	client.Client
	// Live reads past the cache: what is absent there may still exist.
	Live   client.Reader
	Events events.EventRecorder
	// Now is the clock.
	Now func() time.Time
	// KeyObservations are what pods were seen to do with keys; they are controller authprobe's.
	KeyObservations *keyobservation.Store
	// Publications are what gates were given to load; controller authprobe compares what they have loaded with it.
	Publications *publication.Store
	// Rollout paces upgrades.
	Rollout *rollout.Limiter
	// Metrics export what status says; nil exports nothing.
	Metrics *reporting.Metrics
	// Issuer reads the cluster's own issuer.
	Issuer *keysource.ClusterIssuer
	// Master keeps the master key of the probe keys; it is shared with controller authprobe. Nil: there is none.
	Master *keysource.ProbeMaster
	// Logs reads those of crashed containers; nil is never.
	Logs *podlogs.Reader
	// Inputs are the operator's settings that objects depend on: everything but Keys, Rotations, Cluster, ProbeKey,
	// Revoked, GateSecret, Schemas, OldConfigs, ConfigFiles, KeyFiles and Ports, which are read.
	Inputs desired.Inputs

	parsed   keysource.Parsed
	applied  ssa.Applied
	reported reporting.Memory
	routes   *routes.Watch
}

// SetupWithManager starts the controller with the manager, for the namespaces that its cache is for.
func (r *Reconciler) SetupWithManager(ctx context.Context, mgr ctrl.Manager, watched cache.Options) error {
	if err := watches.Index(ctx, mgr.GetFieldIndexer()); err != nil {
		return fmt.Errorf("set up controller mcpserver: %w", err)
	}
	sources, err := watches.Brought(mgr, watched.DefaultNamespaces)
	if err != nil {
		return err
	}
	if r.Master != nil && r.Master.Namespace != "" {
		master, err := watches.Master(mgr, r.Client, r.Master)
		if err != nil {
			return err
		}
		sources = append(sources, master)
	}
	building := ctrl.NewControllerManagedBy(mgr).
		Named("mcpserver").
		For(&v1alpha1.MCPServer{}, builder.WithPredicates(watches.LookedAt)).
		Watches(&v1alpha1.MCPServer{}, watches.Newcomers()).
		Owns(&appsv1.Deployment{}).
		Owns(&corev1.Secret{}).
		Owns(&corev1.ConfigMap{}).
		Owns(&corev1.Service{}).
		Owns(&corev1.ServiceAccount{}).
		Owns(&networkingv1.NetworkPolicy{}).
		Owns(&policyv1.PodDisruptionBudget{}).
		Watches(&corev1.Pod{}, handler.EnqueueRequestsFromMapFunc(owned.ServerOf)).
		WatchesRawSource(source.Channel(r.KeyObservations.News, &handler.EnqueueRequestForObject{})).
		WatchesRawSource(source.Channel(r.Rollout.News, &handler.EnqueueRequestForObject{})).
		WithOptions(controller.Options{MaxConcurrentReconciles: workers})
	for _, s := range sources {
		building = building.WatchesRawSource(s)
	}
	built, err := building.Build(reconcile.Func(r.reconcileNamed))
	if err != nil {
		return fmt.Errorf("set up controller mcpserver: %w", err)
	}
	r.routes = routes.NewWatch(mgr, built, watched.DefaultNamespaces)
	// Routes of servers that have lost their route while no operator ran are removed as well.
	if _, err := r.routes.Open(); err != nil {
		return fmt.Errorf("look for HTTPRoutes: %w", err)
	}
	return nil
}

func (r *Reconciler) reconcileNamed(ctx context.Context, request reconcile.Request) (ctrl.Result, error) {
	var server v1alpha1.MCPServer
	if err := r.Get(ctx, request.NamespacedName, &server); err != nil {
		if apierrors.IsNotFound(err) {
			r.applied.Forget(request.NamespacedName)
			r.reported.Forget(request.NamespacedName)
			r.Publications.Forget(request.NamespacedName)
			r.Rollout.Forget(request.NamespacedName)
			r.Metrics.Forget(request.NamespacedName)
			return ctrl.Result{}, nil
		}
		return ctrl.Result{}, fmt.Errorf("read MCPServer: %w", err)
	}
	result, err := r.Reconcile(ctx, &server)
	result.Priority = watches.UnderWay
	return result, err
}

func (r *Reconciler) objects() serverobjects.Applier {
	return serverobjects.Applier{Client: r.Client, Live: r.Live, Events: r.Events, Applied: &r.applied}
}

func (r *Reconciler) renamer() serverobjects.Renamer {
	return serverobjects.Renamer{Applier: r.objects(), Reporter: r.reporter()}
}

func (r *Reconciler) ownKeys() ownkeys.Reader {
	return ownkeys.Reader{Cached: r.Client, Live: r.Live, Observations: r.KeyObservations, Now: r.Now}
}

func (r *Reconciler) publisher() keypublisher.Publisher {
	return keypublisher.Publisher{Client: r.Client, Live: r.Live, Publications: r.Publications, Parsed: &r.parsed, Keys: r.ownKeys(), Renamer: r.renamer(), Now: r.Now}
}

func (r *Reconciler) reporter() reporting.Reporter {
	return reporting.Reporter{Client: r.Client, Events: r.Events, Metrics: r.Metrics, Memory: &r.reported}
}

func (r *Reconciler) report(ctx context.Context, server *v1alpha1.MCPServer, seen observed, wrong *terminal.Error) error {
	seen.Faulty = seen.brought.Faulty
	gateImage := cmp.Or(seen.GateImage, server.Status.GateImage, r.Inputs.GateImage)
	return r.reporter().Report(ctx, server, serverstatus.Of(server, seen.Seen, gateImage, wrong, r.Now()))
}

func (r *Reconciler) observer() observer {
	return observer{
		Client: r.Client, live: r.Live, now: r.Now, observations: r.KeyObservations, logs: r.Logs, issuer: r.Issuer, master: r.Master,
		parsed: &r.parsed, ownKeys: r.ownKeys(), publisher: r.publisher(), routes: r.routes,
	}
}
