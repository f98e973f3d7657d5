package serverkeys

import (
	"context"

	"github.com/spf13/cobra"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/cmd/gatehouse/cli"
)

// serverThenKey completes the name of a server, and after that the id of one of its keys of type Managed.
func serverThenKey(ctx context.Context, c client.Client, namespace string, args []string) []string {
	if len(args) == 0 {
		return cli.ServerNames(ctx, c, namespace, args)
	}
	var server v1alpha1.MCPServer
	if c.Get(ctx, client.ObjectKey{Namespace: namespace, Name: args[0]}, &server) != nil {
		return nil
	}
	managed, err := managedKeys(&server)
	if err != nil {
		return nil
	}
	var out []string
	for _, key := range managed {
		if key.RefusedTime.IsZero() {
			out = append(out, cobra.CompletionWithDesc(key.KID, string(key.Phase)))
		}
	}
	return out
}
