package mcpserver

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
)

// serverIndex finds what is a server's by the label that says so. A cache that is asked for a label alone goes through all that
// it has of a namespace: with thousands of servers in one, that would be most of what the operator does.
const serverIndex = "server"

// index gives a cache its indices, before it is started.
func index(ctx context.Context, indexer client.FieldIndexer) error {
	for kind, label := range map[client.Object]string{
		&corev1.Pod{}: v1alpha1.LabelServer, &appsv1.ReplicaSet{}: v1alpha1.LabelServer,
		&discoveryv1.EndpointSlice{}: discoveryv1.LabelServiceName,
	} {
		byLabel := func(object client.Object) []string { return []string{object.GetLabels()[label]} }
		if err := indexer.IndexField(ctx, kind, serverIndex, byLabel); err != nil {
			return fmt.Errorf("index %T by server: %w", kind, err)
		}
	}
	if err := indexer.IndexField(ctx, &v1alpha1.MCPServer{}, referenceIndex, references); err != nil {
		return fmt.Errorf("index MCPServers by what they name: %w", err)
	}
	return nil
}

// ByServer has a list of what is a server's answered from the index, in the cache of SetupWithManager. The labels have to be
// asked for besides.
func ByServer(server *v1alpha1.MCPServer) client.MatchingFields {
	return client.MatchingFields{serverIndex: server.Name}
}

// PodsOf gives the pods of a server, from the cache of SetupWithManager.
func PodsOf(ctx context.Context, cached client.Reader, server *v1alpha1.MCPServer) ([]corev1.Pod, error) {
	var pods corev1.PodList
	if err := cached.List(ctx, &pods, client.InNamespace(server.Namespace), ByServer(server), client.MatchingLabels{
		v1alpha1.LabelServer: server.Name, v1alpha1.LabelInstance: string(server.UID),
	}); err != nil {
		return nil, fmt.Errorf("list pods: %w", err)
	}
	return pods.Items, nil
}
