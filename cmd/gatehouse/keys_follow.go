package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/statusreport"
)

// errDone ends a watch that has seen what it was to wait for.
var errDone = errors.New("done")

// follow prints each step that the keys of the server take, until what was asked for is done. Without wait it does
// nothing.
func (o keyOrder) follow(ctx context.Context, c client.WithWatch, server *v1alpha1.MCPServer, done func(*v1alpha1.MCPServer) bool) error {
	if !o.wait {
		return nil
	}
	following, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	told := map[string]string{}
	for _, key := range server.Status.Keys {
		told[key.KID] = statusreport.KeyStep(key, server.Status.Replicas)
	}
	last := *server
	look := func(now v1alpha1.MCPServer) error {
		last = now
		for _, key := range now.Status.Keys {
			if step := statusreport.KeyStep(key, now.Status.Replicas); step != told[key.KID] {
				told[key.KID] = step
				fmt.Fprintf(o.out, "%s  %s\n", o.now().UTC().Format(time.TimeOnly), step)
			}
		}
		if done(&now) {
			return errDone
		}
		return nil
	}
	err := look(*server)
	if err == nil {
		err = statusOptions{namespace: o.server.Namespace, name: o.server.Name}.follow(following, c, server.ResourceVersion, look)
	}
	switch {
	case errors.Is(err, errDone):
		return nil
	case err != nil:
		return err
	case ctx.Err() != nil:
		return fmt.Errorf("interrupted: the operator goes on%s", keysReady(&last))
	default:
		return fmt.Errorf("not done within %s; the operator goes on%s", o.timeout, keysReady(&last))
	}
}
