package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/cmd/gatehouse/cli"
	"github.com/mcp-gatehouse/gatehouse/internal/statusreport"
)

const statusLong = `Show how MCPServers stand.

Without NAME: a table of the servers of the namespace. With NAME: all that is known of one, its conditions with what was
seen and what to do, the failing cases, its keys, its pods and its last Events.

What is shown is what the operator has reported, and how long ago: it tries the lock of every pod each interval, reports a
change at once, and else that all is as it was every ten minutes. STALE means that nothing was reported for twenty minutes,
or two intervals. NOTES are what READY leaves out: what is under way or stuck, and which True condition has a warning.

Needs the right to list MCPServers (with NAME: to get it); with --watch also to watch them. Pods, and with NAME Events, are
shown to who may list them.`

const statusExample = `  # all servers of the cluster
  kubectl gatehouse status -A

  # one server, again whenever its status changes
  kubectl gatehouse status everything --watch

  # for programs: the servers whose lock nobody has tried lately
  kubectl gatehouse status -A -o json | jq '.[] | select(.evidence.stale) | .name'`

type statusOptions struct {
	// namespace is that of the servers, "" for all; name is that of one server, "" for all.
	namespace, name string
	format          string
	watch           bool
}

func statusCommand() *cobra.Command {
	var o statusOptions
	var all bool
	var cluster cli.ConnectFunc
	command := &cobra.Command{
		Use:     "status [NAME]",
		Short:   "Show how MCPServers stand, and what to do",
		Long:    statusLong,
		Example: statusExample,
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

func (o statusOptions) validate(all bool) error {
	switch {
	case all && o.name != "":
		return errors.New("a NAME is of one namespace: give --namespace instead of --all-namespaces")
	default:
		return cli.ValidateFormat(o.format)
	}
}

// run shows the servers, and with watch what becomes of them until ctx ends.
func (o statusOptions) run(ctx context.Context, c client.WithWatch, now func() time.Time, stdout, stderr io.Writer) error {
	show := statusView{out: stdout, format: o.format, single: o.name != "", overview: statusreport.Overview{Namespaces: o.namespace == ""}}
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

// read gives the servers that are asked for, and the version of the list, from which a watch goes on.
func (o statusOptions) read(ctx context.Context, c client.Client, now time.Time) (servers []statusreport.Server, from string, err error) {
	list, err := o.list(ctx, c)
	if err != nil {
		return nil, "", err
	}
	for _, server := range list.Items {
		around, err := o.around(ctx, c, server)
		if err != nil {
			return nil, "", err
		}
		servers = append(servers, statusreport.Of(server, around, now))
	}
	return servers, list.ResourceVersion, nil
}

// list gets one server by its name, for which the right to list is not needed, or lists them all.
func (o statusOptions) list(ctx context.Context, c client.Client) (*v1alpha1.MCPServerList, error) {
	var list v1alpha1.MCPServerList
	if o.name == "" {
		if err := c.List(ctx, &list, client.InNamespace(o.namespace)); err != nil {
			return nil, cli.Explain("list MCPServers "+cli.DescribeNamespace(o.namespace), err)
		}
		return &list, nil
	}
	server, err := cli.GetServer(ctx, c, client.ObjectKey{Namespace: o.namespace, Name: o.name})
	if err != nil {
		return nil, err
	}
	list.Items, list.ResourceVersion = []v1alpha1.MCPServer{*server}, server.ResourceVersion
	return &list, nil
}

// around gives the pods of a server where they are shown, which the table has no place for, and with a name Events about
// it. What the caller may not list is left out, and named: the rest is worth more.
func (o statusOptions) around(ctx context.Context, c client.Client, server v1alpha1.MCPServer) (statusreport.Around, error) {
	var out statusreport.Around
	if o.name == "" && o.format == cli.FormatTable {
		return out, nil
	}
	list := func(kind string, into client.ObjectList, which client.ListOption) error {
		err := c.List(ctx, into, client.InNamespace(server.Namespace), which)
		if apierrors.IsForbidden(err) {
			out.NotShown = append(out.NotShown, kind)
			return nil
		}
		return cli.Explain(fmt.Sprintf("list the %s of MCPServer %s/%s", kind, server.Namespace, server.Name), err)
	}
	var pods corev1.PodList
	if err := list(statusreport.Pods, &pods, client.MatchingLabels{v1alpha1.LabelServer: server.Name}); err != nil {
		return out, err
	}
	out.Pods = pods.Items
	if o.name == "" {
		return out, nil
	}
	var events corev1.EventList
	err := list(statusreport.Events, &events, client.MatchingFields{eventsOf: string(server.UID)})
	out.Events = events.Items
	return out, err
}

// eventsOf is the field of an Event by which the API server finds those about one object.
const eventsOf = "involvedObject.uid"

// statusView writes servers in one format.
type statusView struct {
	out      io.Writer
	format   string
	single   bool
	overview statusreport.Overview
	written  bool
}

func (v *statusView) write(servers []statusreport.Server, now time.Time) error {
	again := v.written
	v.written = true
	switch {
	case v.format != cli.FormatTable:
		if again && v.format == cli.FormatYAML {
			if _, err := io.WriteString(v.out, "---\n"); err != nil {
				return err
			}
		}
		return cli.WriteDocument(v.out, v.format, v.document(servers))
	case !v.single:
		return v.overview.Write(v.out, servers, now)
	}
	if again {
		fmt.Fprintf(v.out, "\n%s\n", now.UTC().Format(time.RFC3339))
	}
	return statusreport.Details(v.out, servers[0], now)
}

// document is one server, or a list that is never null.
func (v *statusView) document(servers []statusreport.Server) any {
	if v.single {
		return servers[0]
	}
	return append([]statusreport.Server{}, servers...)
}
