package watches

import (
	"context"
	"fmt"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/controllers/owned"
)

// ByHostname finds MCPServers by the hostnames of their routes.
const ByHostname = "hostnames"

func hostnames(object client.Object) []string {
	if server, ok := object.(*v1alpha1.MCPServer); ok && server.Spec.Route != nil {
		return server.Spec.Route.Hostnames
	}
	return nil
}

// Index gives a cache its indices, before it is started.
func Index(ctx context.Context, indexer client.FieldIndexer) error {
	if err := owned.Index(ctx, indexer); err != nil {
		return err
	}
	if err := indexer.IndexField(ctx, &v1alpha1.MCPServer{}, referenceIndex, references); err != nil {
		return fmt.Errorf("index MCPServers by what they name: %w", err)
	}
	if err := indexer.IndexField(ctx, &v1alpha1.MCPServer{}, ByHostname, hostnames); err != nil {
		return fmt.Errorf("index MCPServers by hostname: %w", err)
	}
	return nil
}
