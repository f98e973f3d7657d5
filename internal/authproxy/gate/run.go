package gate

import (
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/admin"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/certificate"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/snapshot"
)

// ErrPortTaken: another process of the pod listens on a port of the gate. It may be answering in the gate's place.
var ErrPortTaken = errors.New("the port is already taken")

// What /readyz says to anybody. The details are in the log and in State.
var (
	errNoKeys   = errors.New("no keys are loaded")
	errFetching = errors.New("keys of a provider are being fetched for the first time")
	errNotTried = errors.New("the self-test has not passed")
	errBlind    = errors.New("the list of revocations cannot be read")
)

// closing is how long the last answers may take to be written when all requests have ended.
const closing = 5 * time.Second

// Run serves both ports until ctx is done, and then lets go of clients within Drain.RequestSeconds. It fails at once,
// with ErrPortTaken, where a port is not free.
func (g *Gate) Run(ctx context.Context) error {
	config := g.store.Current().Config
	client, err := listen(ctx, g.options.ClientListener, config.Port)
	if err != nil {
		return err
	}
	adminPort, err := listen(ctx, g.options.AdminListener, config.AdminPort)
	if err != nil {
		client.Close()
		return err
	}
	clients := g.clientServer()
	admins := admin.NewServer(g.AdminHandler(), g.httpErrors())
	failed := make(chan error, 2)
	go func() { failed <- g.serveClients(clients, client) }()
	go func() { failed <- admins.Serve(admin.Bound(adminPort)) }()
	tending, stop := context.WithCancel(context.WithoutCancel(ctx))
	var fetching sync.WaitGroup
	fetching.Go(func() { g.remote.Run(tending) })
	defer func() {
		stop()
		fetching.Wait()
	}()
	go g.tend(tending, client.Addr().String())
	go g.renew(tending)
	go g.askBareServer(tending)
	defer g.startCanary(ctx, config.CanaryPort)()
	defer g.startAudit()()
	g.options.Log.Info("the gate is up", "version", g.options.Version, "instance", g.instance,
		"clients", client.Addr().String(), "admin", adminPort.Addr().String())
	if known := len(g.adminKeys()) > 0; !known || g.options.PodUID == "" {
		g.options.Log.Warn("the operator cannot ask for this gate's state: /state needs the gate's secret and the pod's UID",
			"podUID", g.options.PodUID != "", "secret", known)
	}
	select {
	case err = <-failed:
		err = fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
		g.letGo(clients)
	}
	g.waiting.end()
	return errors.Join(err, ignoreClosed(clients.Close()), ignoreClosed(admins.Close()))
}

// httpServer has no write timeout: streams last for hours. Bodies are timed by package body.
func (g *Gate) httpServer(handler http.Handler) *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       120 * time.Second,
		MaxHeaderBytes:    32 << 10,
		Protocols:         protocols,
		// Else net/http would answer "OPTIONS *" itself, to anybody.
		DisableGeneralOptionsHandler: true,
		ErrorLog:                     g.httpErrors(),
	}
}

// httpErrors is the log of what package net/http finds wrong with requests.
func (g *Gate) httpErrors() *log.Logger {
	return slog.NewLogLogger(g.options.Log.Handler(), slog.LevelDebug)
}

func listen(ctx context.Context, given net.Listener, port int32) (net.Listener, error) {
	if given != nil {
		return given, nil
	}
	listener, err := (&net.ListenConfig{Control: boundBuffers}).Listen(ctx, "tcp", ":"+strconv.Itoa(int(port)))
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("listen on port %d: %w: stop the other container of this pod from using it, "+
			"or give the gate another port", port, ErrPortTaken)
	}
	if err != nil {
		return nil, fmt.Errorf("listen on port %d: %w", port, err)
	}
	return listener, nil
}

// What the kernel may keep for one connection, in bytes: what a client sends and nobody reads yet, and what it is sent
// and does not read. It counts as the container's memory, and grows to megabytes unless it is bounded. The kernel takes
// twice as much for its own bookkeeping.
const (
	receiveBuffer = 64 << 10
	sendBuffer    = 128 << 10
)

// boundBuffers is for a socket that listens: those that it accepts are as it is.
func boundBuffers(_, _ string, socket syscall.RawConn) error {
	var failed error
	err := socket.Control(func(fd uintptr) {
		failed = errors.Join(
			syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, receiveBuffer),
			syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_SNDBUF, sendBuffer))
	})
	return errors.Join(err, failed)
}

// tend renews the snapshot and tries the gate, after every change and until it has passed.
func (g *Gate) tend(ctx context.Context, address string) {
	ticker := time.NewTicker(g.options.PollInterval)
	defer ticker.Stop()
	var tried *snapshot.Snapshot
	renewed := false
	for {
		if current := g.store.Current(); renewed || current != tried || g.selfTestVerdict() != selfTestPassed {
			g.tryMyself(ctx, address, current)
			tried = current
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			renewed = g.pollFiles()
		}
	}
}

func (g *Gate) tryMyself(ctx context.Context, address string, current *snapshot.Snapshot) {
	verdict := selfTestPassed
	if err := g.selfTest.run(ctx, address, current, g.options.Now()); err != nil {
		verdict = err.Error()
	}
	if before := g.selfTestVerdict(); verdict != before {
		level := slog.LevelInfo
		if verdict != selfTestPassed {
			level = slog.LevelError
		}
		g.options.Log.Log(ctx, level, "self-test", "verdict", verdict)
	}
	g.verdict.Store(&verdict)
}

func (g *Gate) selfTestVerdict() string {
	if verdict := g.verdict.Load(); verdict != nil {
		return *verdict
	}
	return selfTestPending
}

// ready tells why the gate should get no traffic yet. Keys of one provider are enough: that another's cannot be fetched is no
// reason to keep everybody out. It waits until each has been tried once, so that clients of all are served where that can be.
func (g *Gate) ready() error {
	if g.certificate != nil && g.certificate.Leaf() == nil {
		return certificate.ErrNone
	}
	if !g.store.Current().HasKeys() {
		return errNoKeys
	}
	if g.firstFetchUnderWay() {
		return errFetching
	}
	if g.store.Current().RevocationsUnknown {
		return errBlind
	}
	if err := g.canBind(); err != nil {
		return err
	}
	if g.selfTestVerdict() != selfTestPassed {
		return errNotTried
	}
	if err := g.listening.check(); err != nil {
		return err
	}
	return g.bare.hold()
}

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

// letGo is the end of the process: no more waiting for endpoints, but for requests in flight.
func (g *Gate) letGo(clients *http.Server) {
	g.waiting.end()
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

func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) || errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

func seconds(n int32) time.Duration { return time.Duration(n) * time.Second }
