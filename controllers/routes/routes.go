package routes

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
	"github.com/mcp-gatehouse/gatehouse/controllers/owned"
	"github.com/mcp-gatehouse/gatehouse/controllers/watches"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/desired/network"
	"github.com/mcp-gatehouse/gatehouse/internal/terminal"
)

// Watch watches HTTPRoutes from when the cluster has them: at the start, or when an MCPServer first asks for one. They
// have a cache of their own, because the manager's cannot be told of a kind that does not exist yet.
type Watch struct {
	mgr        ctrl.Manager
	controller controller.Controller
	namespaces map[string]cache.Config

	mu     sync.Mutex
	opened cache.Cache
}

// NewWatch watches for a controller, in the namespaces of its cache.
func NewWatch(mgr ctrl.Manager, by controller.Controller, namespaces map[string]cache.Config) *Watch {
	return &Watch{mgr: mgr, controller: by, namespaces: namespaces}
}

// Open gives a reader of our HTTPRoutes; nil while the cluster has no such kind. Servers without a route do not wait while the API
// server is asked for it.
func (r *Watch) Open() (client.Reader, error) {
	if !r.isOpen() {
		if known, err := isKnown(r.mgr.GetRESTMapper()); err != nil || !known {
			return nil, err
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.opened != nil {
		return r.opened, nil
	}
	ours := cache.Options{
		HTTPClient: r.mgr.GetHTTPClient(), Scheme: r.mgr.GetScheme(), Mapper: r.mgr.GetRESTMapper(),
		DefaultNamespaces: r.namespaces, DefaultLabelSelector: owned.Selector(),
	}
	opened, err := cache.New(r.mgr.GetConfig(), ours)
	if err != nil {
		return nil, fmt.Errorf("cache of HTTPRoutes: %w", err)
	}
	if err := r.mgr.Add(opened); err != nil {
		return nil, fmt.Errorf("start the cache of HTTPRoutes: %w", err)
	}
	byOwner := handler.TypedEnqueueRequestForOwner[*unstructured.Unstructured](
		r.mgr.GetScheme(), r.mgr.GetRESTMapper(), &v1alpha1.MCPServer{}, handler.OnlyControllerOwner())
	if err := r.controller.Watch(source.Kind(opened, empty(), byOwner)); err != nil {
		return nil, fmt.Errorf("watch HTTPRoutes: %w", err)
	}
	r.opened = opened
	return opened, nil
}

// isOpen tells whether the cluster was seen to have HTTPRoutes.
func (r *Watch) isOpen() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.opened != nil
}

func isKnown(mapper meta.RESTMapper) (bool, error) {
	kind := network.HTTPRouteKind
	_, err := mapper.RESTMapping(kind.GroupKind(), kind.Version)
	switch {
	case meta.IsNoMatchError(err):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("ask for HTTPRoutes: %w", err)
	}
	return true, nil
}

func empty() *unstructured.Unstructured {
	route := &unstructured.Unstructured{}
	route.SetGroupVersionKind(network.HTTPRouteKind)
	return route
}

// Reader gives a reader of HTTPRoutes; nil where there are none to care for. The API server is asked whether it has the kind
// only for a server that wants a route. Without a watch, which is nil then, it reads live.
func (r *Watch) Reader(server *v1alpha1.MCPServer, mapper meta.RESTMapper, live client.Reader) (client.Reader, error) {
	if r == nil {
		known, err := isKnown(mapper)
		if !known {
			return nil, err
		}
		return live, err
	}
	if server.Spec.Route == nil && !r.isOpen() {
		return nil, nil
	}
	return r.Open()
}

// IsAccepted reports whether a gateway has accepted the server's route.
func IsAccepted(ctx context.Context, reader client.Reader, server *v1alpha1.MCPServer) (bool, error) {
	if server.Spec.Route == nil {
		return false, nil
	}
	route := empty()
	switch err := reader.Get(ctx, client.ObjectKeyFromObject(server), route); {
	case apierrors.IsNotFound(err):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("read HTTPRoute: %w", err)
	}
	return desired.Owns(server, route) && hasParent(route), nil
}

// hasParent: one of the gateways that the route names has taken it, as it is now.
func hasParent(route *unstructured.Unstructured) bool {
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

// Judge says what keeps a server's route from leading to it, in a cluster that has routes or not; all else is carried
// out.
func Judge(ctx context.Context, servers client.Reader, server *v1alpha1.MCPServer, hasRoutes bool) error {
	if server.Spec.Route == nil {
		return nil
	}
	if !hasRoutes {
		return &terminal.Error{Condition: v1alpha1.ConditionAccepted, Reason: v1alpha1.ReasonRouteUnsupported,
			Message: "The cluster has no HTTPRoute of gateway.networking.k8s.io/v1, so there is no route; all else is carried out. Install the Gateway API and a gateway that implements it, or remove route."}
	}
	for _, host := range server.Spec.Route.Hostnames {
		var others v1alpha1.MCPServerList
		if err := servers.List(ctx, &others, client.MatchingFields{watches.ByHostname: host}); err != nil {
			return fmt.Errorf("list MCPServers of hostname %s: %w", host, err)
		}
		for _, other := range others.Items {
			if claim := network.Conflict(server, &other); claim != "" {
				return &terminal.Error{Condition: v1alpha1.ConditionAccepted, Reason: v1alpha1.ReasonRouteConflict, Message: fmt.Sprintf(
					"The routes of this MCPServer and of %s/%s, which is older, both claim %s: gateways send the older one the requests of both. "+
						"All else is carried out. Give one of them another path or hostname.", other.Namespace, other.Name, claim)}
			}
		}
	}
	return nil
}
