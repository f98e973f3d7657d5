package mcpserver

import (
	"context"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
)

// watchMaster gives the events of the master key's Secret, and of nothing else. Only its version is kept. Each brings up
// the servers whose gates have a probe key.
func (r *Reconciler) watchMaster(mgr ctrl.Manager) (source.Source, error) {
	one, err := newNames(mgr, map[string]cache.Config{r.Master.Namespace: {}},
		fields.OneTermEqualSelector("metadata.name", MasterSecretName))
	if err != nil {
		return nil, err
	}
	object := &metav1.PartialObjectMetadata{}
	object.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Secret"))
	return source.Kind(one, object, handler.TypedEnqueueRequestsFromMapFunc(
		func(ctx context.Context, _ *metav1.PartialObjectMetadata) []reconcile.Request {
			r.Master.Forget()
			return r.whoHasProbeKey(ctx)
		})), nil
}

func (r *Reconciler) whoHasProbeKey(ctx context.Context) []reconcile.Request {
	var servers v1alpha1.MCPServerList
	if err := r.List(ctx, &servers); err != nil { // it is asked of the cache
		logf.FromContext(ctx).Error(err, "find the MCPServers whose gates have a probe key")
		return nil
	}
	return requests(slices.DeleteFunc(servers.Items, func(server v1alpha1.MCPServer) bool {
		return len(desired.Resolve(&server).ProbeKeyProviders()) == 0
	}))
}
