package gate

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/admin"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/upstream/bareserver"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/upstream/health"
)

// closing is how long the last answers may take to be written when all requests have ended.
const closing = 5 * time.Second

// Run serves the ports of clients and the admin port until ctx is done, and then lets go of clients within
// Drain.RequestSeconds. It fails at once, with ErrPortTaken, where a port is not free.
func (g *Gate) Run(ctx context.Context) error {
	config := g.store.Current().Config
	doors, adminPort, err := g.listenAll(ctx, config)
	if err != nil {
		return err
	}
	clients := g.clientServer()
	admins := admin.NewServer(g.AdminHandler(), g.httpErrors())
	failed := make(chan error, len(doors)+1)
	for _, door := range doors {
		go func() { failed <- g.serveClients(clients, door) }()
	}
	go func() { failed <- admins.Serve(admin.Bound(adminPort)) }()
	watching, stop := context.WithCancel(context.WithoutCancel(ctx))
	var fetching sync.WaitGroup
	fetching.Go(func() { g.remote.Run(watching) })
	defer func() {
		stop()
		fetching.Wait()
	}()
	go g.watchFiles(watching, doors[0].Addr().String())
	go g.followChanges(watching)
	go g.bareServer.Run(watching, bareserver.Server{
		Well:     func() bool { return g.listening.Check() == nil && g.server.Check() == nil },
		Endpoint: func() string { return "http://" + g.upstreamAddress() + g.store.Current().Config.Upstream.Path },
		Dial:     func(ctx context.Context) error { return health.Dial(ctx, g.upstreamAddress()) },
	})
	defer g.startCanary(ctx, config.CanaryPort)()
	defer g.startAudit()()
	g.options.Log.Info("the gate is up", "version", g.options.Version, "instance", g.instance,
		"clients", doors[0].Addr().String(), "admin", adminPort.Addr().String())
	if known := len(g.adminKeys()) > 0; !known || g.options.PodUID == "" {
		g.options.Log.Warn("the operator cannot ask for this gate's state: /state needs the gate's secret and the pod's UID",
			"podUID", g.options.PodUID != "", "secret", known)
	}
	select {
	case err = <-failed:
		err = fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
		g.shutDown(clients)
	}
	g.connections.Close()
	return errors.Join(err, ignoreClosed(clients.Close()), ignoreClosed(admins.Close()))
}

func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) || errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

func seconds(n int32) time.Duration { return time.Duration(n) * time.Second }
