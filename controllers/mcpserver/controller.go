package mcpserver

import (
	"context"
	"errors"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	appsv1ac "k8s.io/client-go/applyconfigurations/apps/v1"
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
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
)

// FieldOwner is the manager of every field that this controller applies.
const FieldOwner = client.FieldOwner("gatehouse")

// retryAfter is when a problem that only a user can mend is looked at again: the mend may be on an object that is not
// watched.
const retryAfter = time.Minute

// workers is how many servers are looked at side by side. A new one takes a dozen requests to the API server, one after the
// other, and waits for it most of the time: one worker would keep a large fleet waiting for minutes.
const workers = 16

// Reconciler makes what MCPServers ask for.
type Reconciler struct {
	// Client reads from the cache and writes.
	client.Client
	// Live reads past the cache: what is absent there may still exist.
	Live   client.Reader
	Scheme *runtime.Scheme
	Events events.EventRecorder
	// Now is the clock.
	Now func() time.Time
	// Sightings are what pods were seen to do with keys; they are controller authprobe's.
	Sightings *Sightings
	// Fleet paces upgrades.
	Fleet *Fleet
	// Metrics export what status says; nil exports nothing.
	Metrics *Metrics
	// Issuer reads the cluster's own issuer.
	Issuer *ClusterIssuer
	// Master keeps the master key of the probe keys; it is shared with controller authprobe. Nil: there is none.
	Master *ProbeMaster
	// Logs reads those of crashed containers; nil is never.
	Logs *Logs
	// Inputs are the operator's settings that objects depend on: everything but Keys, Rotations, Cluster, ProbeKey,
	// Revoked, GateSecret, Schemas and ConfigFiles, which are read.
	Inputs desired.Inputs

	parsed   parsed
	standing standing
	routes   *routes
}

// The rights of this controller, each with its reason; docs/rbac.md tells them to administrators. What is watched is also
// listed where an API server does not stream its lists.
//
// MCPServers are what it looks after; nothing of them but their status is ever written.
// +kubebuilder:rbac:groups=mcp.gatehouse.dev,resources=mcpservers,verbs=list;watch
// +kubebuilder:rbac:groups=mcp.gatehouse.dev,resources=mcpservers/status,verbs=patch
//
// Owner references that block deletion take this where OwnerReferencesPermissionEnforcement is on, as on OpenShift.
// +kubebuilder:rbac:groups=mcp.gatehouse.dev,resources=mcpservers/finalizers,verbs=update
//
// Children are created, and patched by server-side apply. They go with their owner, so that nothing is deleted. Get tells
// whose an object is that is there already, and reads Secrets and ConfigMaps that users name.
// +kubebuilder:rbac:groups="",resources=secrets;configmaps;serviceaccounts;services,verbs=get;list;watch;create;patch
// +kubebuilder:rbac:groups=apps,resources=deployments,verbs=get;list;watch;create;patch
// +kubebuilder:rbac:groups=apps,resources=replicasets,verbs=list;watch
// +kubebuilder:rbac:groups=networking.k8s.io,resources=networkpolicies,verbs=get;list;watch;create;patch
//
// These two are deleted as well, when a spec asks for them no more.
// +kubebuilder:rbac:groups=policy,resources=poddisruptionbudgets,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=gateway.networking.k8s.io,resources=httproutes,verbs=get;list;watch;create;patch;delete
//
// Pods are annotated, which makes the kubelet look at changed keys.
// +kubebuilder:rbac:groups="",resources=pods,verbs=list;watch;patch
//
// The cluster's own issuer and its keys, for providers of type Cluster.
// +kubebuilder:rbac:urls=/.well-known/openid-configuration;/openid/v1/jwks,verbs=get
//
// Events tell what has become of a server; one that repeats is counted by a patch.
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// SetupWithManager starts the controller with the manager, for the namespaces that its cache is for.
func (r *Reconciler) SetupWithManager(ctx context.Context, mgr ctrl.Manager, watched cache.Options) error {
	if err := index(ctx, mgr.GetFieldIndexer()); err != nil {
		return fmt.Errorf("set up controller mcpserver: %w", err)
	}
	brought, err := newNames(mgr, watched.DefaultNamespaces, nil)
	if err != nil {
		return err
	}
	building := ctrl.NewControllerManagedBy(mgr).
		Named("mcpserver").
		For(&v1alpha1.MCPServer{}, builder.WithPredicates(known)).
		Watches(&v1alpha1.MCPServer{}, newcomers()).
		Owns(&appsv1.Deployment{}).
		Owns(&corev1.Secret{}).
		Owns(&corev1.ConfigMap{}).
		Owns(&corev1.Service{}).
		Owns(&corev1.ServiceAccount{}).
		Owns(&networkingv1.NetworkPolicy{}).
		Owns(&policyv1.PodDisruptionBudget{}).
		Watches(&corev1.Pod{}, handler.EnqueueRequestsFromMapFunc(ServerOfPod)).
		WatchesRawSource(source.Channel(r.Sightings.news, &handler.EnqueueRequestForObject{})).
		WatchesRawSource(source.Channel(r.Fleet.news, &handler.EnqueueRequestForObject{})).
		WatchesRawSource(names{brought, "Secret"}.source(mgr.GetClient())).
		WatchesRawSource(names{brought, "ConfigMap"}.source(mgr.GetClient())).
		WithOptions(controller.Options{MaxConcurrentReconciles: workers})
	if r.Master != nil && r.Master.Namespace != "" {
		master, err := r.watchMaster(mgr)
		if err != nil {
			return err
		}
		building = building.WatchesRawSource(master)
	}
	built, err := building.Build(reconcile.Func(r.reconcileNamed))
	if err != nil {
		return fmt.Errorf("set up controller mcpserver: %w", err)
	}
	r.routes = &routes{mgr: mgr, controller: built, namespaces: watched.DefaultNamespaces}
	// Routes of servers that have lost their route while no operator ran are removed as well.
	if _, err := r.routes.open(); err != nil {
		return fmt.Errorf("look for HTTPRoutes: %w", err)
	}
	return nil
}

func (r *Reconciler) reconcileNamed(ctx context.Context, request reconcile.Request) (ctrl.Result, error) {
	var server v1alpha1.MCPServer
	if err := r.Get(ctx, request.NamespacedName, &server); err != nil {
		if apierrors.IsNotFound(err) {
			r.standing.forget(request.NamespacedName)
			r.Fleet.forget(request.NamespacedName)
			r.Metrics.forget(request.NamespacedName)
			return ctrl.Result{}, nil
		}
		return ctrl.Result{}, fmt.Errorf("read MCPServer: %w", err)
	}
	result, err := r.Reconcile(ctx, &server)
	result.Priority = underWay
	return result, err
}

// ServerOfPod names the MCPServer that a pod says it belongs to.
func ServerOfPod(_ context.Context, pod client.Object) []reconcile.Request {
	name := pod.GetLabels()[v1alpha1.LabelServer]
	if name == "" {
		return nil
	}
	return []reconcile.Request{{NamespacedName: types.NamespacedName{Namespace: pod.GetNamespace(), Name: name}}}
}

// Reconcile brings one MCPServer's objects to what its spec asks for, and its status to what was seen.
//
// There is no finalizer: every object is owned, and goes with the MCPServer.
func (r *Reconciler) Reconcile(ctx context.Context, server *v1alpha1.MCPServer) (ctrl.Result, error) {
	// Whatever comes of this, no other server need wait until this one was looked at.
	defer r.Fleet.look(client.ObjectKeyFromObject(server))
	if !server.DeletionTimestamp.IsZero() {
		return ctrl.Result{}, nil
	}
	seen, err := r.observe(ctx, server)
	if err == nil {
		err = r.converge(ctx, server, &seen)
	}
	if apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) {
		// The cache was behind; its next event brings us back as well.
		return ctrl.Result{RequeueAfter: time.Second}, nil
	}
	var wrong *problem
	switch {
	case errors.As(err, &wrong):
		return ctrl.Result{RequeueAfter: retryAfter}, r.report(ctx, server, seen, wrong)
	case err != nil:
		return ctrl.Result{}, err
	default:
		r.announceTurnover(server, seen.secretTurn)
		return ctrl.Result{RequeueAfter: lookAgain(seen, r.Now())}, r.report(ctx, server, seen, nil)
	}
}

// lookAgain is when no event may tell what has changed; 0 is never.
func lookAgain(seen observed, now time.Time) time.Duration {
	again := Sooner(patience(seen.pods, now), rotationDue(seen.turns, now))
	again = Sooner(again, Sooner(seen.secretTurn.due(now), seen.missing.due(now)))
	if seen.waits != "" {
		again = Sooner(again, turnPause)
	}
	if seen.cluster.URL != "" {
		return Sooner(again, issuerPause)
	}
	return again
}

// patience is the time until the next starting pod is late, which no event tells.
func patience(pods []corev1.Pod, now time.Time) time.Duration {
	var soonest time.Duration
	for _, pod := range pods {
		left := desired.StartBudget - now.Sub(pod.CreationTimestamp.Time)
		if left > 0 && (soonest == 0 || left < soonest) {
			soonest = left + time.Second
		}
	}
	return soonest
}

// Sooner is the shorter of two waits, of which 0 is for ever.
func Sooner(a, b time.Duration) time.Duration {
	if a == 0 || b == 0 {
		return max(a, b)
	}
	return min(a, b)
}

// impossible tells what of a spec cannot be carried out; any other error stays as it is.
func impossible(err error) error {
	var unlocked *desired.UnlockedError
	var invalid *desired.InvalidError
	const nothing = "Nothing of this spec is carried out: "
	switch {
	case errors.As(err, &unlocked):
		return &problem{v1alpha1.ConditionAccepted, v1alpha1.ReasonWouldUnlock, nothing + unlocked.Error() + ". Take it out of the spec."}
	case errors.As(err, &invalid):
		return &problem{v1alpha1.ConditionAccepted, v1alpha1.ReasonInvalidSpec, nothing + invalid.Error() + ". Change it."}
	}
	return err
}

// inputs are the operator's settings, and what was read.
func (r *Reconciler) inputs(seen *observed) desired.Inputs {
	in := r.Inputs
	in.Keys, in.Rotations, in.Cluster, in.Revoked, in.GateSecret = seen.keys, seen.rotations, seen.cluster, seen.revoked, seen.secretTurn.data
	in.ProbeKey = seen.probeKey
	in.Schemas, in.ConfigFiles = seen.schemas, seen.configFiles
	return in
}

// converge applies what is desired.
func (r *Reconciler) converge(ctx context.Context, server *v1alpha1.MCPServer, seen *observed) error {
	in := r.inputs(seen)
	objects, err := desired.Objects(server, in)
	if err != nil {
		return impossible(err)
	}
	if seen.untold, err = desired.Untold(server, in); err != nil {
		return impossible(err)
	}
	if err := r.applyAll(ctx, server, objects, seen); err != nil {
		return err
	}
	for _, kind := range desired.Unwanted(server) {
		if err := r.remove(ctx, server, kind, *seen); err != nil {
			return err
		}
	}
	if err := r.refresh(ctx, server, *seen, objects); err != nil {
		return err
	}
	if server.Spec.Route != nil && seen.routes == nil {
		return &problem{v1alpha1.ConditionAccepted, v1alpha1.ReasonRouteUnsupported,
			"The cluster has no HTTPRoute of gateway.networking.k8s.io/v1, so there is no route; all else is carried out. Install the Gateway API and a gateway that implements it, or remove route."}
	}
	return nil
}

// applyAll applies the objects in their order; a route only where the cluster has routes.
func (r *Reconciler) applyAll(ctx context.Context, server *v1alpha1.MCPServer, objects []runtime.ApplyConfiguration, seen *observed) (err error) {
	for _, object := range objects {
		switch wanted := object.(type) {
		case *desired.HTTPRouteApplyConfiguration:
			if seen.routes == nil {
				continue
			}
		case *appsv1ac.DeploymentApplyConfiguration:
			if wanted, err = r.pace(ctx, server, wanted, seen); err != nil {
				return err
			}
			object, seen.gateImage = wanted, gateImageOf(wanted)
		}
		if _, err := r.apply(ctx, server, object, *seen); err != nil {
			return err
		}
	}
	return nil
}

// problem is something that only a user can mend.
type problem struct {
	// condition that is False because of it.
	condition string
	reason    string
	// message says what is wrong and what to do.
	message string
}

func (p *problem) Error() string { return p.reason + ": " + p.message }
