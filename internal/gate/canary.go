package gate

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"time"
)

// canaryPause is between two connections to the canary port: nobody needs it often. Who comes meanwhile waits in the
// kernel's queue, which is bounded.
const canaryPause = 50 * time.Millisecond

// canary is the port that is opened to nobody: who gets through to it knows that policies are not enforced.
type canary struct{ port atomic.Int32 } // 0 while nothing listens

// startCanary listens until stop is called. A port that cannot be had costs knowledge, and no service.
func (g *Gate) startCanary(ctx context.Context, port int32) (stop func()) {
	if port == 0 && g.options.CanaryListener == nil {
		return func() {}
	}
	listener, err := listen(ctx, g.options.CanaryListener, port)
	if err != nil {
		g.options.Log.Error("no canary: whether network policies are enforced will not be known", "error", err.Error())
		return func() {}
	}
	if address, isTCP := listener.Addr().(*net.TCPAddr); isTCP {
		g.canary.port.Store(int32(address.Port)) //nolint:gosec // A port has 16 bits.
	}
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		g.canary.serve(listener)
	}()
	return func() {
		listener.Close()
		<-stopped
	}
}

// serve holds one connection at a time, and none longer than it takes to close it. It neither reads nor writes.
func (c *canary) serve(listener net.Listener) {
	defer c.port.Store(0)
	for {
		conn, err := listener.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err == nil:
			conn.Close()
		}
		time.Sleep(canaryPause) //nolint:forbidigo // It waits for nothing: it bounds the rate.
	}
}
