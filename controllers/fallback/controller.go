package fallback

import (
	"context"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	discoveryv1ac "k8s.io/client-go/applyconfigurations/discovery/v1"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/controllers/owned"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/desired/network"
)

// FieldOwner is the manager of these EndpointSlices.
const FieldOwner = client.FieldOwner("gatehouse-fallback")

// workers is how many servers are looked at side by side. A pod that loses its proof must leave soon, whatever else is new.
const workers = 8

// Reconciler keeps the fallback EndpointSlices. It is a controller of its own: the others wait for answers of pods and of
// the API server, and what changes here must not wait for them.
type Reconciler struct {
	// Client reads from the cache of watches.CacheOptions and writes.
	client.Client

	// Live reads what the cache does not hold: slices that lost their labels.
	Live client.Reader
}

// The rights of this controller, beside those of package mcpserver.
//
// Who stands behind a Service while none of its pods is ready.
// +kubebuilder:rbac:groups=discovery.k8s.io,resources=endpointslices,verbs=list;watch;create;patch;delete
//
// Addresses of the cluster's own networks take this in EndpointSlices on OpenShift.
// +kubebuilder:rbac:groups=discovery.k8s.io,resources=endpointslices/restricted,verbs=create

// SetupWithManager starts the controller with the manager.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager) error {
	err := ctrl.NewControllerManagedBy(mgr).
		Named("fallback").
		For(&v1alpha1.MCPServer{}, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Owns(&discoveryv1.EndpointSlice{}).
		Owns(&corev1.Service{}).
		Watches(&corev1.Pod{}, handler.EnqueueRequestsFromMapFunc(owned.ServerOf)).
		WithOptions(controller.Options{MaxConcurrentReconciles: workers}).
		Complete(reconcile.Func(r.Reconcile))
	if err != nil {
		return fmt.Errorf("set up controller fallback: %w", err)
	}
	return nil
}

// Reconcile brings the fallback EndpointSlices of one server to what its pods are now.
func (r *Reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	var server v1alpha1.MCPServer
	if err := r.Get(ctx, request.NamespacedName, &server); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if !server.DeletionTimestamp.IsZero() {
		return ctrl.Result{}, nil // they go with it
	}
	wanted, err := r.wanted(ctx, &server)
	if err != nil {
		return ctrl.Result{}, err
	}
	existing, err := r.existing(ctx, &server)
	if err != nil {
		return ctrl.Result{}, err
	}
	var failed []error
	for _, slice := range wanted {
		failed = append(failed, r.apply(ctx, &server, slice, existing[*slice.Name]))
		delete(existing, *slice.Name)
	}
	for _, slice := range existing {
		err := r.Delete(ctx, &slice, client.Preconditions{UID: ptr.To(slice.UID)})
		if client.IgnoreNotFound(err) != nil {
			failed = append(failed, fmt.Errorf("remove EndpointSlice %s: %w", slice.Name, err))
		}
	}
	err = errors.Join(failed...)
	if apierrors.IsConflict(err) {
		return ctrl.Result{}, nil // the cache was behind; its next event brings us back
	}
	return ctrl.Result{}, err
}

// wanted are the slices that there should be; none while the Service is not the server's.
func (r *Reconciler) wanted(ctx context.Context, server *v1alpha1.MCPServer) ([]*discoveryv1ac.EndpointSliceApplyConfiguration, error) {
	var service corev1.Service
	if err := r.Get(ctx, client.ObjectKeyFromObject(server), &service); err != nil {
		return nil, client.IgnoreNotFound(err)
	}
	if !desired.Owns(server, &service) {
		return nil, nil
	}
	pods, err := owned.Pods(ctx, r.Client, server)
	if err != nil {
		return nil, err
	}
	return network.Fallback(server, service, pods), nil
}

// existing are the server's own fallback slices, by name.
func (r *Reconciler) existing(ctx context.Context, server *v1alpha1.MCPServer) (map[string]discoveryv1.EndpointSlice, error) {
	var list discoveryv1.EndpointSliceList
	if err := r.List(ctx, &list, client.InNamespace(server.Namespace), owned.ByServer(server), client.MatchingLabels{
		discoveryv1.LabelServiceName: server.Name, discoveryv1.LabelManagedBy: network.FallbackManager,
	}); err != nil {
		return nil, fmt.Errorf("list EndpointSlices: %w", err)
	}
	out := map[string]discoveryv1.EndpointSlice{}
	for _, slice := range list.Items {
		if metav1.IsControlledBy(&slice, server) {
			out[slice.Name] = slice
		}
	}
	return out, nil
}

// apply brings one slice to what is wanted. What exists and is somebody else's is never taken over.
func (r *Reconciler) apply(ctx context.Context, server *v1alpha1.MCPServer, wanted *discoveryv1ac.EndpointSliceApplyConfiguration, existing discoveryv1.EndpointSlice) error {
	slice, err := network.EndpointSlice(wanted)
	if err != nil {
		return err
	}
	if existing.UID == "" {
		err := r.Create(ctx, &slice, FieldOwner)
		if err == nil {
			return nil
		}
		if apierrors.IsAlreadyExists(err) {
			existing, err = r.lost(ctx, server, slice.Name)
		}
		if err != nil {
			return fmt.Errorf("create EndpointSlice %s: %w", slice.Name, err)
		}
	}
	if stands(slice, existing) {
		return nil
	}
	if err := r.Apply(ctx, wanted.WithUID(existing.UID), FieldOwner, client.ForceOwnership); err != nil {
		return fmt.Errorf("apply EndpointSlice %s: %w", slice.Name, err)
	}
	return nil
}

// lost returns the server's own slice that the cache does not hold as such: somebody took its labels or its owner reference.
func (r *Reconciler) lost(ctx context.Context, server *v1alpha1.MCPServer, name string) (discoveryv1.EndpointSlice, error) {
	var list discoveryv1.EndpointSliceList
	// Listed, not read: the operator has no right to get EndpointSlices.
	if err := r.Live.List(ctx, &list, client.InNamespace(server.Namespace), client.MatchingFields{metav1.ObjectNameField: name}); err != nil {
		return discoveryv1.EndpointSlice{}, err
	}
	for _, slice := range list.Items {
		if desired.Owns(server, &slice) {
			return slice, nil
		}
	}
	return discoveryv1.EndpointSlice{}, errors.New("it exists and belongs to somebody else: delete it, or give what made it another name")
}

// stands reports whether a slice is as wanted, in all that consumers go by, and has its owner.
func stands(wanted, existing discoveryv1.EndpointSlice) bool {
	return metav1.GetControllerOf(&existing) != nil && hasAll(wanted.Labels, existing.Labels) && hasAll(wanted.Annotations, existing.Annotations) &&
		equality.Semantic.DeepEqual(wanted.Endpoints, existing.Endpoints) && equality.Semantic.DeepEqual(wanted.Ports, existing.Ports)
}

func hasAll(wanted, existing map[string]string) bool {
	for name, value := range wanted {
		if existing[name] != value {
			return false
		}
	}
	return true
}
