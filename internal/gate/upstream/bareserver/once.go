package bareserver

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

// longestHold is how long Hold keeps a gate from being ready.
const longestHold = 5 * time.Second

var errAsking = errors.New("the server is being asked what it does without the gate")

// Once asks the server, past the gate, before it has clients: once in the life of the pod, for it may be the death
// of the server. That it was asked is written down first, where a restarted gate finds it.
type Once struct {
	marker  string // the file; empty: do not ask
	settled chan struct{}
	settle  func() // closes settled, once
	log     *slog.Logger

	mu     sync.Mutex
	result Result
	held   bool
}

// NewOnce returns what is written down in dir.
func NewOnce(mode gateapi.BareServer, dir string, log *slog.Logger) *Once {
	o := &Once{settled: make(chan struct{}), result: NotAsked, log: log}
	o.settle = sync.OnceFunc(func() { close(o.settled) })
	if mode == gateapi.BareServerOnce {
		o.marker = filepath.Join(dir, gateapi.BareServerFile)
	}
	if known, err := os.ReadFile(o.marker); err == nil && o.marker != "" {
		o.result, o.marker = Result(known), ""
	}
	if o.marker == "" {
		o.settle()
	}
	return o
}

// Hold is asked when nothing else keeps the gate from being ready, and keeps it so while the question is open; not for
// longer than longestHold.
func (o *Once) Hold() error {
	select {
	case <-o.settled:
		return nil
	default:
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.held {
		o.held = true
		time.AfterFunc(longestHold, o.settle)
	}
	return errAsking
}

// Result returns what is known by now.
func (o *Once) Result() Result {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.result
}

// set writes the result down, and believes it only if the next gate of this pod will know it. A gate that starts meanwhile, or
// after this one was killed, reads the old result or the new one, never a part.
func (o *Once) set(result Result) error {
	next := o.marker + ".new"
	if err := os.WriteFile(next, []byte(result), 0o600); err != nil {
		return err
	}
	if err := os.Rename(next, o.marker); err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.result = result
	return nil
}

// Server is how Once reaches the server.
type Server struct {
	// Well reports whether it listens and answers its health check.
	Well func() bool
	// Endpoint returns the URL of its MCP endpoint.
	Endpoint func() string
	// Dial opens and closes a connection.
	Dial func(context.Context) error
}

// Run asks as soon as the server is well, unless the gate may have clients by then.
func (o *Once) Run(ctx context.Context, server Server) {
	defer o.settle()
	if !o.waitUntilWell(ctx, server) {
		return
	}
	if err := o.set(Unclear); err != nil {
		o.log.Warn("the server is not asked what it does without the gate: the next gate of this pod would ask again",
			"error", err.Error())
		return
	}
	result, received := Ask(ctx, server.Endpoint())
	o.keep(result)
	o.settle()
	if received {
		result = Watch(ctx, result, server.Dial)
		o.keep(result)
	}
	o.log.Info("asked the server past the gate, without a token and with a malformed one", "bareServer", string(result))
}

// waitUntilWell returns false if the gate became ready first, or there is nothing to wait for.
func (o *Once) waitUntilWell(ctx context.Context, server Server) bool {
	ticker := time.NewTicker(glance)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-o.settled:
			return false
		default:
		}
		if server.Well() {
			return true
		}
		select {
		case <-ctx.Done():
		case <-o.settled:
		case <-ticker.C:
		}
	}
}

func (o *Once) keep(result Result) {
	if err := o.set(result); err != nil {
		o.log.Warn("the next gate of this pod will not know of the bare server", "error", err.Error())
	}
}
