// Package serverkeys is the subcommand keys: it lists, rotates, revokes, exports and imports the keys of an MCPServer.
package serverkeys

import (
	"context"
	"io"
	"time"

	"github.com/spf13/cobra"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/cmd/gatehouse/cli"
	"github.com/mcp-gatehouse/gatehouse/internal/statusreport"
)

// NewCommand returns the subcommand.
func NewCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "keys",
		Short: "Look at the keys of an MCPServer; rotate, revoke, export and import them",
		Args:  cli.Args(cobra.NoArgs),
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	command.AddCommand(listCommand(), rotateCommand(), revokeCommand(), exportCommand(), importCommand())
	return command
}

const listLong = `List the keys whose tokens the gate of an MCPServer accepts, and those that it must refuse, as its status has them.

PHASE and SINCE tell where a key of type Managed is in its life. PODS is how many pods were seen to do what the phase
waits for: to accept a Published key, to refuse a Retired or Revoked one.

Needs the right to get the MCPServer. No key material is shown, nor needed.`

func listCommand() *cobra.Command {
	var cluster cli.ConnectFunc
	var format string
	command := &cobra.Command{
		Use:   "list NAME",
		Short: "List the keys of an MCPServer",
		Long:  listLong,
		Args:  cli.Args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := cli.ValidateFormat(format); err != nil {
				return cli.UsageError(err)
			}
			c, namespace, err := cluster()
			if err != nil {
				return err
			}
			defer cli.AnnounceSlow(cmd.ErrOrStderr(), cli.WaitingForCluster)()
			server := client.ObjectKey{Namespace: namespace, Name: args[0]}
			return listKeys(cmd.Context(), c, server, format, time.Now(), cmd.OutOrStdout())
		},
	}
	cluster = cli.AddClusterFlags(command)
	cli.CompleteArgs(command, cluster, 1, cli.ServerNames)
	cli.AddOutputFlag(command, &format)
	return command
}

func listKeys(ctx context.Context, c client.Reader, name client.ObjectKey, format string, now time.Time, out io.Writer) error {
	server, err := cli.GetServer(ctx, c, name)
	if err != nil {
		return err
	}
	keys := statusreport.KeysOf(*server)
	if format != cli.FormatTable {
		return cli.WriteDocument(out, format, keys)
	}
	return keys.Write(out, now)
}
