package gate

import (
	"context"
	"net/http"
	"time"
)

// quiesce waits until the server may be stopped: the pod must have left its endpoints, and requests must have ended.
func (g *Gate) quiesce(ctx context.Context) {
	limits := g.store.Current().Config.Drain
	select {
	case <-time.After(seconds(limits.EndpointSeconds)):
	case <-ctx.Done():
		return
	}
	ctx, cancel := context.WithTimeout(ctx, seconds(limits.RequestSeconds))
	defer cancel()
	if err := g.drain.Idle(ctx); err != nil {
		g.options.Log.Warn("requests are still in flight at the end of the drain")
	}
}

// Terminate announces that the pod is ending: GET streams live until new connections go elsewhere, and all others as long
// as /quiesce waits. New requests are served meanwhile. A pod that lives on is served as before once drain.Lingers is over;
// until then State says Terminating.
func (g *Gate) Terminate() {
	limits := g.store.Current().Config.Drain
	endpoints, requests := seconds(limits.EndpointSeconds), seconds(limits.RequestSeconds)
	g.drain.Terminate(endpoints, endpoints+requests)
	g.options.Log.Info("the pod is terminating: streams are told to end")
}

// shutDown is the end of the process: no more waiting for endpoints, but for requests in flight.
func (g *Gate) shutDown(clients *http.Server) {
	g.connections.Close()
	limit := seconds(g.store.Current().Config.Drain.RequestSeconds)
	g.drain.Terminate(0, limit)
	g.options.Log.Info("stopping: waiting for requests in flight", "limit", limit.String())
	waiting, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	if err := g.drain.Idle(waiting); err != nil {
		g.options.Log.Warn("requests are still in flight at the end of the drain")
	}
	ending, cancelEnding := context.WithTimeout(context.Background(), min(limit, closing))
	defer cancelEnding()
	// What is not finished by now is cut off by Close.
	_ = clients.Shutdown(ending)
}
