package status

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/cmd/gatehouse/cli"
	"github.com/mcp-gatehouse/gatehouse/internal/statusreport"
)

// read gives the servers that are asked for, and the version of the list, from which a watch goes on.
func (o options) read(ctx context.Context, c client.Client, now time.Time) (servers []statusreport.Server, from string, err error) {
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
func (o options) list(ctx context.Context, c client.Client) (*v1alpha1.MCPServerList, error) {
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
func (o options) around(ctx context.Context, c client.Client, server v1alpha1.MCPServer) (statusreport.Around, error) {
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
