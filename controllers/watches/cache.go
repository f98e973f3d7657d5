package watches

import (
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/controllers/owned"
)

// CacheOptions keep what is not ours out of memory: of all kinds but MCPServer only objects with our label are held.
// Without namespaces it is those of all namespaces.
func CacheOptions(namespaces []string) cache.Options {
	selected := cache.ByObject{Label: owned.Selector()}
	// Who owns which field is asked of what the operator applies, and of nothing else.
	others := cache.ByObject{Label: owned.Selector(), Transform: cache.TransformStripManagedFields()}
	out := cache.Options{ByObject: map[client.Object]cache.ByObject{
		&appsv1.Deployment{}: selected, &corev1.Secret{}: selected, &corev1.ConfigMap{}: selected, &corev1.Service{}: selected,
		&corev1.ServiceAccount{}: selected, &networkingv1.NetworkPolicy{}: selected, &policyv1.PodDisruptionBudget{}: selected,
		&corev1.Pod{}: others, &appsv1.ReplicaSet{}: others, &discoveryv1.EndpointSlice{}: others,
	}}
	for _, namespace := range namespaces {
		if out.DefaultNamespaces == nil {
			out.DefaultNamespaces = map[string]cache.Config{}
		}
		out.DefaultNamespaces[namespace] = cache.Config{}
	}
	return out
}
