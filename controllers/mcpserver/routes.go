package mcpserver

import (
	"context"
	"fmt"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
)

// routes watches HTTPRoutes from when the cluster has them: at the start, or when an MCPServer first asks for one. They
// have a cache of their own, because the manager's cannot be told of a kind that does not exist yet.
type routes struct {
	mgr        ctrl.Manager
	controller controller.Controller
	namespaces map[string]cache.Config

	mu     sync.Mutex
	opened cache.Cache
}

// open gives a reader of our HTTPRoutes; nil while the cluster has no such kind.
func (r *routes) open() (client.Reader, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.opened != nil {
		return r.opened, nil
	}
	if known, err := knowsRoutes(r.mgr.GetRESTMapper()); err != nil || !known {
		return nil, err
	}
	ours := cache.Options{
		HTTPClient: r.mgr.GetHTTPClient(), Scheme: r.mgr.GetScheme(), Mapper: r.mgr.GetRESTMapper(),
		DefaultNamespaces: r.namespaces, DefaultLabelSelector: oursSelector(),
	}
	opened, err := cache.New(r.mgr.GetConfig(), ours)
	if err != nil {
		return nil, fmt.Errorf("cache of HTTPRoutes: %w", err)
	}
	if err := r.mgr.Add(opened); err != nil {
		return nil, fmt.Errorf("start the cache of HTTPRoutes: %w", err)
	}
	owned := handler.TypedEnqueueRequestForOwner[*unstructured.Unstructured](
		r.mgr.GetScheme(), r.mgr.GetRESTMapper(), &v1alpha1.MCPServer{}, handler.OnlyControllerOwner())
	if err := r.controller.Watch(source.Kind(opened, emptyRoute(), owned)); err != nil {
		return nil, fmt.Errorf("watch HTTPRoutes: %w", err)
	}
	r.opened = opened
	return opened, nil
}

// isOpen tells whether the cluster was seen to have HTTPRoutes.
func (r *routes) isOpen() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.opened != nil
}

func knowsRoutes(mapper meta.RESTMapper) (bool, error) {
	kind := desired.HTTPRouteKind
	_, err := mapper.RESTMapping(kind.GroupKind(), kind.Version)
	switch {
	case meta.IsNoMatchError(err):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("ask for HTTPRoutes: %w", err)
	}
	return true, nil
}

func emptyRoute() *unstructured.Unstructured {
	route := &unstructured.Unstructured{}
	route.SetGroupVersionKind(desired.HTTPRouteKind)
	return route
}

// routeReader gives a reader of HTTPRoutes; nil where there are none to care for. The API server is asked whether it has
// the kind only for a server that wants a route.
func (r *Reconciler) routeReader(server *v1alpha1.MCPServer) (client.Reader, error) {
	if r.routes == nil {
		known, err := knowsRoutes(r.RESTMapper())
		if !known {
			return nil, err
		}
		return r.Live, err
	}
	if server.Spec.Route == nil && !r.routes.isOpen() {
		return nil, nil
	}
	return r.routes.open()
}

// observeRoute tells whether a gateway has accepted the server's route.
func (r *Reconciler) observeRoute(ctx context.Context, server *v1alpha1.MCPServer, seen *observed) error {
	reader, err := r.routeReader(server)
	if err != nil || reader == nil {
		return err
	}
	seen.routes = reader
	if server.Spec.Route == nil {
		return nil
	}
	route := emptyRoute()
	switch err := reader.Get(ctx, client.ObjectKeyFromObject(server), route); {
	case apierrors.IsNotFound(err):
		return nil
	case err != nil:
		return fmt.Errorf("read HTTPRoute: %w", err)
	}
	seen.routeAccepted = metav1.IsControlledBy(route, server) && isAccepted(route)
	return nil
}

// isAccepted: one of the gateways that the route names has taken it, as it is now.
func isAccepted(route *unstructured.Unstructured) bool {
	parents, _, _ := unstructured.NestedSlice(route.Object, "status", "parents")
	for _, parent := range parents {
		fields, ok := parent.(map[string]any)
		if !ok {
			continue
		}
		conditions, _, _ := unstructured.NestedSlice(fields, "conditions")
		for _, condition := range conditions {
			c, ok := condition.(map[string]any)
			if ok && c["type"] == "Accepted" && c["status"] == string(metav1.ConditionTrue) && c["observedGeneration"] == route.GetGeneration() {
				return true
			}
		}
	}
	return false
}
