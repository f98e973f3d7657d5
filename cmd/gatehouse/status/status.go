// Package status is the subcommand that shows how MCPServers stand.
package status

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/cmd/gatehouse/cli"
	"github.com/mcp-gatehouse/gatehouse/internal/statusreport"
)

const long = `Show how MCPServers stand.

Without NAME: a table of the servers of the namespace. With NAME: all that is known of one, its conditions with what was
seen and what to do, the failing cases, its keys, its pods and its last Events.

What is shown is what the operator has reported, and how long ago: it tries the lock of every pod each interval, reports a
change at once, and else that all is as it was every ten minutes. STALE means that nothing was reported for twenty minutes,
or two intervals. NOTES are what READY leaves out: what is under way or stuck, and which True condition has a warning.

Needs the right to list MCPServers (with NAME: to get it); with --watch also to watch them. Pods, and with NAME Events, are
shown to who may list them.`

const example = `  # all servers of the cluster
  kubectl gatehouse status -A

  # one server, again whenever its status changes
  kubectl gatehouse status everything --watch

  # for programs: the servers whose lock nobody has tried lately
  kubectl gatehouse status -A -o json | jq '.[] | select(.evidence.stale) | .name'`

type options struct {
	// namespace is that of the servers, "" for all; name is that of one server, "" for all.
	namespace, name string
	format          string
	watch           bool
}

// NewCommand returns the subcommand.
func NewCommand() *cobra.Command {
	var o options
	var all bool
	var cluster cli.ConnectFunc
	command := &cobra.Command{
		Use:     "status [NAME]",
		Short:   "Show how MCPServers stand, and what to do",
		Long:    long,
		Example: example,
		Args:    cli.Args(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.name = strings.Join(args, "")
			if err := o.validate(all); err != nil {
				return cli.UsageError(err)
			}
			c, namespace, err := cluster()
			if err != nil {
				return err
			}
			if !all {
				o.namespace = namespace
			}
			return o.run(cmd.Context(), c, time.Now, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	cluster = cli.AddClusterFlags(command)
	cli.CompleteArgs(command, cluster, 1, cli.ServerNames)
	cli.AddOutputFlag(command, &o.format)
	flags := command.Flags()
	flags.BoolVarP(&all, "all-namespaces", "A", false, "servers of all namespaces")
	flags.BoolVarP(&o.watch, "watch", "w", false, "after that, show each server whose status changes, until interrupted")
	return command
}

func (o options) validate(all bool) error {
	switch {
	case all && o.name != "":
		return errors.New("a NAME is of one namespace: give --namespace instead of --all-namespaces")
	default:
		return cli.ValidateFormat(o.format)
	}
}

// run shows the servers, and with watch what becomes of them until ctx ends.
func (o options) run(ctx context.Context, c client.WithWatch, now func() time.Time, stdout, stderr io.Writer) error {
	show := view{out: stdout, format: o.format, single: o.name != "", overview: statusreport.Overview{Namespaces: o.namespace == ""}}
	answered := cli.AnnounceSlow(stderr, cli.WaitingForCluster)
	servers, from, err := o.read(ctx, c, now())
	answered()
	if err != nil {
		return err
	}
	if len(servers) == 0 && o.format == cli.FormatTable {
		fmt.Fprintln(stderr, "There is no MCPServer "+cli.DescribeNamespace(o.namespace)+".")
	} else if err := show.write(servers, now()); err != nil {
		return err
	}
	if !o.watch {
		return nil
	}
	return cli.WatchServers(ctx, c, client.ObjectKey{Namespace: o.namespace, Name: o.name}, from, func(server v1alpha1.MCPServer, deleted bool) error {
		if deleted {
			fmt.Fprintf(stderr, "MCPServer %s in namespace %s was deleted.\n", server.Name, server.Namespace)
			return nil
		}
		around, err := o.around(ctx, c, server)
		if err != nil {
			return err
		}
		return show.write([]statusreport.Server{statusreport.Of(server, around, now())}, now())
	})
}
