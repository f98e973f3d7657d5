package serverkeys

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/cmd/gatehouse/cli"
	"github.com/mcp-gatehouse/gatehouse/internal/statusreport"
)

// begunWithin is how long an operator that runs may take until it says anything about an order. It acts within seconds.
const begunWithin = time.Minute

// Ends of a watch.
var (
	// errDone: what it was to wait for was seen.
	errDone = errors.New("done")
	// errNotBegun: no operator has taken the order up.
	errNotBegun = errors.New("not begun")
)

// following is what is seen of an order that is waited for.
type following struct {
	keyOrder

	// told is the step that was printed last of each key.
	told map[string]string
	// taken: an operator has begun to carry it out.
	taken bool
	last  v1alpha1.MCPServer
	done  func(*v1alpha1.MCPServer) bool
}

// follow prints each step that the keys of the server take, until what was asked for is done. Without wait it does
// nothing.
func (o keyOrder) follow(ctx context.Context, c client.WithWatch, server *v1alpha1.MCPServer, done func(*v1alpha1.MCPServer) bool) error {
	if !o.wait {
		return nil
	}
	f := &following{keyOrder: o, told: map[string]string{}, taken: slices.ContainsFunc(server.Status.Keys, isOpen), last: *server, done: done}
	for _, key := range server.Status.Keys {
		f.told[key.KID] = statusreport.KeyStep(key, server.Status.Replicas)
	}
	err := f.look(*server, false)
	if err == nil {
		err = f.watch(ctx, c, server.ResourceVersion)
	}
	switch {
	case errors.Is(err, errDone):
		return nil
	case errors.Is(err, errNotBegun):
		return fmt.Errorf("no operator has taken that up within %s%s Does one run (kubectl -n gatehouse-system get pods), and does it watch "+
			"namespace %s? What was asked for stays asked for: an operator carries it out once it runs", min(o.begun, o.timeout), keysReady(&f.last), o.server.Namespace)
	case err != nil:
		return err
	case ctx.Err() != nil:
		return fmt.Errorf("interrupted: the operator goes on%s", keysReady(&f.last))
	default:
		return fmt.Errorf("not done within %s; the operator goes on%s", o.timeout, keysReady(&f.last))
	}
}

// watch looks at each change of the server, until the order is done, its time is up, or no operator takes it up.
func (f *following) watch(ctx context.Context, c client.WithWatch, from string) error {
	limited, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	idle := cli.AnnounceSlow(f.progress, "Waiting for an operator to take that up.")
	defer idle()
	waiting, giveUp := context.WithCancelCause(limited)
	defer giveUp(nil)
	timer := time.AfterFunc(f.begun, func() { giveUp(errNotBegun) })
	defer timer.Stop()
	if f.taken {
		timer.Stop()
	}
	err := cli.WatchServers(waiting, c, f.server, from, func(now v1alpha1.MCPServer, deleted bool) error {
		err := f.look(now, deleted)
		if f.taken {
			timer.Stop()
			idle()
		}
		return err
	})
	if err == nil && ctx.Err() == nil && !f.taken {
		return errNotBegun
	}
	return err
}

// look prints what is new. Any word of the operator about keys shows that it has taken the order up.
func (f *following) look(now v1alpha1.MCPServer, deleted bool) error {
	if deleted {
		return fmt.Errorf("MCPServer %s was deleted meanwhile, and its keys with it", f.server)
	}
	f.taken = f.taken || keysReady(&now) != keysReady(&f.last)
	f.last = now
	for _, key := range now.Status.Keys {
		if step := statusreport.KeyStep(key, now.Status.Replicas); step != f.told[key.KID] {
			f.told[key.KID], f.taken = step, true
			fmt.Fprintf(f.out, "%s  %s\n", f.now().UTC().Format(time.TimeOnly), step)
		}
	}
	if f.done(&now) {
		return errDone
	}
	return nil
}
