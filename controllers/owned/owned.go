package owned

import (
	"context"
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
)

// FieldOwner is the manager of every field that controller mcpserver applies.
const FieldOwner = client.FieldOwner("gatehouse")

// serverIndex finds what is a server's by the label that says so. A cache that is asked for a label alone goes through all that
// it has of a namespace: with thousands of servers in one, that would be most of what the operator does.
const serverIndex = "server"

// Index gives a cache the index by server, before it is started.
func Index(ctx context.Context, indexer client.FieldIndexer) error {
	for kind, label := range map[client.Object]string{
		&corev1.Pod{}: v1alpha1.LabelServer, &appsv1.ReplicaSet{}: v1alpha1.LabelServer,
		&discoveryv1.EndpointSlice{}: discoveryv1.LabelServiceName,
	} {
		byLabel := func(object client.Object) []string { return []string{object.GetLabels()[label]} }
		if err := indexer.IndexField(ctx, kind, serverIndex, byLabel); err != nil {
			return fmt.Errorf("index %T by server: %w", kind, err)
		}
	}
	return nil
}

// ByServer has a list of what is a server's answered from the index, in the cache of SetupWithManager. The labels have to be
// asked for besides.
func ByServer(server *v1alpha1.MCPServer) client.MatchingFields {
	return client.MatchingFields{serverIndex: server.Name}
}

// ByInstance are the labels of what belongs to this very MCPServer, and to none that had its name before.
func ByInstance(server *v1alpha1.MCPServer) map[string]string {
	return map[string]string{v1alpha1.LabelServer: server.Name, v1alpha1.LabelInstance: string(server.UID)}
}

// Pods gives the pods of a server that may run, from the cache of SetupWithManager. One that was evicted, or whose node was shut
// down, stays as an object until somebody deletes it: nothing in it runs again, so nothing that was seen of it counts any more.
func Pods(ctx context.Context, cached client.Reader, server *v1alpha1.MCPServer) ([]corev1.Pod, error) {
	var pods corev1.PodList
	if err := cached.List(ctx, &pods, client.InNamespace(server.Namespace), ByServer(server), client.MatchingLabels(ByInstance(server))); err != nil {
		return nil, fmt.Errorf("list pods: %w", err)
	}
	return slices.DeleteFunc(pods.Items, hasEnded), nil
}

func hasEnded(pod corev1.Pod) bool {
	return pod.Status.Phase == corev1.PodFailed || pod.Status.Phase == corev1.PodSucceeded
}

// ServerOf names the MCPServer that a pod says it belongs to.
func ServerOf(_ context.Context, pod client.Object) []reconcile.Request {
	name := pod.GetLabels()[v1alpha1.LabelServer]
	if name == "" {
		return nil
	}
	return []reconcile.Request{{NamespacedName: types.NamespacedName{Namespace: pod.GetNamespace(), Name: name}}}
}

// Selector selects what has our label.
func Selector() labels.Selector {
	ours, err := labels.NewRequirement(v1alpha1.LabelServer, selection.Exists, nil)
	if err != nil {
		panic(err) // the label is a constant
	}
	return labels.NewSelector().Add(*ours)
}
