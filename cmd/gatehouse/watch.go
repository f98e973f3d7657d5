package main

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

// follow calls changed with each server that was made, deleted, or whose status changed since the version, until ctx ends. What
// changed between two watches is told as the state that it led to.
func (o statusOptions) follow(ctx context.Context, c client.WithWatch, from string, changed func(server v1alpha1.MCPServer, deleted bool) error) error {
	for {
		last, err := o.followOnce(ctx, c, from, changed)
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

// followOnce is one watch. It gives the version that it came to.
func (o statusOptions) followOnce(
	ctx context.Context, c client.WithWatch, from string, changed func(server v1alpha1.MCPServer, deleted bool) error,
) (last string, err error) {
	options := &client.ListOptions{Namespace: o.namespace, Raw: &metav1.ListOptions{ResourceVersion: from}}
	if o.name != "" {
		options.FieldSelector = fields.OneTermEqualSelector("metadata.name", o.name)
	}
	watcher, err := c.Watch(ctx, &v1alpha1.MCPServerList{}, options)
	if err != nil {
		return from, explain("watch MCPServers "+o.place(), err)
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
			return from, fmt.Errorf("watch MCPServers %s: %w", o.place(), apierrors.FromObject(event.Object))
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
