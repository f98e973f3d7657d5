package watches

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
)

// referenceIndex finds MCPServers by what they name: "Secret NAME", "ConfigMap NAME".
const referenceIndex = "references"

// names watches that something of a kind changes which users bring, and hands out the MCPServers that name it. Only
// names and versions are kept of it: the cache of our own objects does not have it, and its content is read when it is
// needed.
type names struct {
	cache cache.Cache
	kind  string
}

// Brought gives the events of the Secrets and ConfigMaps that users bring, in the given namespaces; nil is all.
func Brought(mgr ctrl.Manager, namespaces map[string]cache.Config) ([]source.Source, error) {
	brought, err := newNames(mgr, namespaces, nil)
	if err != nil {
		return nil, err
	}
	return []source.Source{names{brought, "Secret"}.source(mgr.GetClient()), names{brought, "ConfigMap"}.source(mgr.GetClient())}, nil
}

// newNames gives a cache of the names that a selector takes, in the given namespaces; nil is all.
func newNames(mgr ctrl.Manager, namespaces map[string]cache.Config, selected fields.Selector) (cache.Cache, error) {
	out, err := cache.New(mgr.GetConfig(), cache.Options{
		Scheme: mgr.GetScheme(), Mapper: mgr.GetRESTMapper(), HTTPClient: mgr.GetHTTPClient(),
		DefaultNamespaces: namespaces, DefaultFieldSelector: selected, DefaultTransform: nameOnly,
	})
	if err != nil {
		return nil, fmt.Errorf("set up the cache of names: %w", err)
	}
	if err := mgr.Add(out); err != nil {
		return nil, fmt.Errorf("set up the cache of names: %w", err)
	}
	return out, nil
}

// nameOnly drops what says nothing about whether an object has changed.
func nameOnly(object any) (any, error) {
	if meta, ok := object.(*metav1.PartialObjectMetadata); ok {
		meta.ObjectMeta = metav1.ObjectMeta{
			Name: meta.Name, Namespace: meta.Namespace, UID: meta.UID, ResourceVersion: meta.ResourceVersion,
		}
	}
	return object, nil
}

// source gives the events of the kind.
func (n names) source(c client.Reader) source.Source {
	object := &metav1.PartialObjectMetadata{}
	object.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind(n.kind))
	return source.Kind(n.cache, object, handler.TypedEnqueueRequestsFromMapFunc(
		func(ctx context.Context, object *metav1.PartialObjectMetadata) []reconcile.Request {
			return n.whoNames(ctx, c, object)
		}))
}

func (n names) whoNames(ctx context.Context, c client.Reader, object client.Object) []reconcile.Request {
	var servers v1alpha1.MCPServerList
	err := c.List(ctx, &servers, client.InNamespace(object.GetNamespace()),
		client.MatchingFields{referenceIndex: n.kind + " " + object.GetName()})
	if err != nil { // it is asked of the cache, which has the index
		logf.FromContext(ctx).Error(err, "find the MCPServers that name an object", "kind", n.kind, "name", object.GetName())
		return nil
	}
	return requests(servers.Items)
}

func requests(servers []v1alpha1.MCPServer) []reconcile.Request {
	var out []reconcile.Request
	for _, server := range servers {
		out = append(out, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&server)})
	}
	return out
}

// references are the index values of an MCPServer.
func references(object client.Object) []string {
	server, ok := object.(*v1alpha1.MCPServer)
	if !ok {
		return nil
	}
	out := desired.References(server)
	slices.Sort(out)
	return slices.Compact(out)
}
