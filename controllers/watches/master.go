package watches

import (
	"context"
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
	"github.com/mcp-gatehouse/gatehouse/controllers/keysource"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
)

// Master gives the events of the master key's Secret, and of nothing else. Only its version is kept. Each brings up
// the servers whose gates have a probe key.
func Master(mgr ctrl.Manager, servers client.Reader, master *keysource.ProbeMaster) (source.Source, error) {
	one, err := newNames(mgr, map[string]cache.Config{master.Namespace: {}},
		fields.OneTermEqualSelector("metadata.name", keysource.MasterSecretName))
	if err != nil {
		return nil, err
	}
	object := &metav1.PartialObjectMetadata{}
	object.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Secret"))
	return source.Kind(one, object, handler.TypedEnqueueRequestsFromMapFunc(
		func(ctx context.Context, _ *metav1.PartialObjectMetadata) []reconcile.Request {
			master.Forget()
			return whoHasProbeKey(ctx, servers)
		})), nil
}

func whoHasProbeKey(ctx context.Context, c client.Reader) []reconcile.Request {
	var servers v1alpha1.MCPServerList
	if err := c.List(ctx, &servers); err != nil { // it is asked of the cache
		logf.FromContext(ctx).Error(err, "find the MCPServers whose gates have a probe key")
		return nil
	}
	return requests(slices.DeleteFunc(servers.Items, func(server v1alpha1.MCPServer) bool {
		return len(desired.Resolve(&server).ProbeKeyProviders()) == 0
	}))
}
