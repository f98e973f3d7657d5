package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/statusreport"
)

func keysCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "keys",
		Short: "Look at the keys of an MCPServer",
		Args:  arguments(cobra.NoArgs),
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	command.AddCommand(keysListCommand())
	return command
}

func keysListCommand() *cobra.Command {
	var cluster connector
	command := &cobra.Command{
		Use:   "list NAME",
		Short: "List the keys whose tokens the gate of an MCPServer accepts",
		Long: `List the keys whose tokens the gate of an MCPServer accepts, as its status has them.

Needs the right to get the MCPServer. No key material is shown, nor needed.`,
		Args: arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, namespace, err := cluster()
			if err != nil {
				return err
			}
			return listKeys(cmd.Context(), c, client.ObjectKey{Namespace: namespace, Name: args[0]}, cmd.OutOrStdout())
		},
	}
	cluster = withCluster(command)
	return command
}

func listKeys(ctx context.Context, c client.Reader, name client.ObjectKey, out io.Writer) error {
	var server v1alpha1.MCPServer
	if err := c.Get(ctx, name, &server); err != nil {
		return fmt.Errorf("read MCPServer %s: %w", name, err)
	}
	return statusreport.Keys(out, server.Status.Keys)
}
