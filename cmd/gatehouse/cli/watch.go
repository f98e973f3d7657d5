package cli

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
)

// rewatchAfter is the pause before a watch that ended is begun anew. API servers end them every half an hour or so.
const rewatchAfter = time.Second

// ChangedFunc is told of a server as it is now, or as it was before it was deleted. An error ends the watch.
type ChangedFunc func(server v1alpha1.MCPServer, deleted bool) error

// WatchServers calls changed with each server that was made, deleted, or whose status changed since the version, until ctx ends.
// What changed between two watches is told as the state that it led to. An empty name in servers stands for all MCPServers of
// the namespace, an empty namespace for all namespaces.
func WatchServers(ctx context.Context, c client.WithWatch, servers client.ObjectKey, from string, changed ChangedFunc) error {
	for {
		last, err := watchOnce(ctx, c, servers, from, changed)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // the user has seen enough
		}
		switch {
		case apierrors.IsResourceExpired(err) || apierrors.IsGone(err):
			last = "" // from now on, beginning with all as they are
		case err != nil:
			return err
		}
		from = last
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(rewatchAfter):
		}
	}
}

// watchOnce is one watch. It returns the version that it came to.
func watchOnce(ctx context.Context, c client.WithWatch, servers client.ObjectKey, from string, changed ChangedFunc) (last string, err error) {
	options := &client.ListOptions{Namespace: servers.Namespace, Raw: &metav1.ListOptions{ResourceVersion: from}}
	if servers.Name != "" {
		options.FieldSelector = fields.OneTermEqualSelector("metadata.name", servers.Name)
	}
	watcher, err := c.Watch(ctx, &v1alpha1.MCPServerList{}, options)
	if err != nil {
		return from, Explain("watch MCPServers "+DescribeNamespace(servers.Namespace), err)
	}
	defer watcher.Stop()
	for {
		var event watch.Event
		open := false
		select {
		case <-ctx.Done():
		case event, open = <-watcher.ResultChan():
		}
		switch {
		case !open:
			return from, nil
		case event.Type == watch.Error:
			return from, fmt.Errorf("watch MCPServers %s: %w", DescribeNamespace(servers.Namespace), apierrors.FromObject(event.Object))
		}
		server, ok := event.Object.(*v1alpha1.MCPServer)
		if !ok {
			continue
		}
		from = server.ResourceVersion
		if event.Type != watch.Bookmark {
			if err := changed(*server, event.Type == watch.Deleted); err != nil {
				return from, err
			}
		}
	}
}

// DescribeNamespace returns where servers are, for a message; "" stands for all namespaces.
func DescribeNamespace(namespace string) string {
	if namespace == "" {
		return "in any namespace"
	}
	return "in namespace " + namespace
}
