//go:build scale

package scale

import (
	"cmp"
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
)

const (
	// writers create MCPServers side by side.
	writers = 8
	// look is the time between two looks at a fleet.
	look = 2 * time.Second
	// patience is how long a server may take to be Ready, on average, unless --limit says otherwise.
	patience = time.Second
)

// TestFleets creates fleets of MCPServers, each on an API server of its own, and watches them.
func TestFleets(t *testing.T) {
	var costs []cost
	for _, size := range fleets(t) {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			costs = append(costs, measure(t, size))
		})
	}
	report(t, costs)
}

// cost is what a fleet has cost. converged is how many of its servers became Ready.
type cost struct {
	servers          int
	converged        int
	created, ready   time.Duration
	start, calm, end reading
}

func measure(t *testing.T, size int) cost {
	t.Helper()
	control := startControlPlane(t)
	node := startNode(t, control)
	operator := startOperator(t, control, fmt.Sprintf("operator-%d.log", size))
	waitFor(t, time.Minute, "the operator serves metrics", func() bool { return operator.serves(t) })

	out := cost{servers: size, start: operator.read(t, control)}
	create(t, control, size)
	out.created = time.Since(out.start.at)
	allowed := cmp.Or(*readyLimit, time.Minute+time.Duration(size)*patience)
	for out.converged < size && time.Since(out.start.at) < allowed {
		pause(t, look)
		var servers int
		out.converged, servers = census(t, node)
		t.Logf("%s: %d of %d servers are Ready", time.Since(out.start.at).Round(time.Second), out.converged, servers)
	}
	if out.converged < size {
		t.Errorf("%d of %d servers are Ready after %s", out.converged, size, allowed)
	}
	out.calm = operator.read(t, control)
	out.ready = out.calm.at.Sub(out.start.at)

	for time.Since(out.calm.at) < *steady {
		pause(t, min(15*time.Second, *steady))
		if ready, _ := census(t, node); ready < out.converged {
			t.Errorf("%s later %d of %d servers are Ready", time.Since(out.calm.at).Round(time.Second), ready, out.converged)
		}
	}
	out.end = operator.read(t, control)
	return out
}

func create(t *testing.T, control *controlPlane, size int) {
	t.Helper()
	names := make(chan int)
	var working sync.WaitGroup
	for range writers {
		working.Go(func() {
			for i := range names {
				server := &v1alpha1.MCPServer{}
				server.Namespace, server.Name = fleetNamespace, fmt.Sprintf("server-%d", i)
				server.Spec.Image = "example.com/server:1"
				if *every > 0 {
					server.Spec.AuthProbe = &v1alpha1.AuthProbe{IntervalSeconds: ptr.To(int32(every.Seconds()))}
				}
				if err := control.client.Create(t.Context(), server); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for i := range size {
		names <- i
	}
	close(names)
	working.Wait()
}

// census counts the servers, and those of them that are Ready. It reads from a cache: lists of thousands would be what the
// API server is busy with.
func census(t *testing.T, node *simulatedNode) (ready, all int) {
	t.Helper()
	var servers v1alpha1.MCPServerList
	must(t, node.List(t.Context(), &servers, client.InNamespace(fleetNamespace)))
	for _, server := range servers.Items {
		if meta.IsStatusConditionTrue(server.Status.Conditions, v1alpha1.ConditionReady) {
			ready++
		}
	}
	return ready, len(servers.Items)
}

func waitFor(t *testing.T, limit time.Duration, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(limit); !done(); pause(t, look) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %s: %s", limit, what)
		}
	}
}

// pause waits, and no longer than the test lasts.
func pause(t *testing.T, wait time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), wait)
	defer cancel()
	<-ctx.Done()
}
