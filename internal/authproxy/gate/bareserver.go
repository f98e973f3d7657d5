package gate

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/authproxy"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/bareserver"
)

const (
	// bareHold is how long the gate is not ready for the sake of the question.
	bareHold   = 5 * time.Second
	bareGlance = 250 * time.Millisecond
)

var errBareServer = errors.New("the server is being asked what it does without the gate")

// bareServer asks the server, past the gate, before it has clients: once in the life of the pod, for it may be the death
// of the server. That it was asked is written down first, where a restarted gate finds it.
type bareServer struct {
	marker  string // the file; empty: do not ask
	settled chan struct{}
	settle  func() // closes settled, once

	mu     sync.Mutex
	result bareserver.Result
	held   bool
}

func newBareServer(mode authproxy.BareServer, dir string) *bareServer {
	b := &bareServer{settled: make(chan struct{}), result: bareserver.NotAsked}
	b.settle = sync.OnceFunc(func() { close(b.settled) })
	if mode == authproxy.BareServerOnce {
		b.marker = filepath.Join(dir, authproxy.BareServerFile)
	}
	if known, err := os.ReadFile(b.marker); err == nil && b.marker != "" {
		b.result, b.marker = bareserver.Result(known), ""
	}
	if b.marker == "" {
		b.settle()
	}
	return b
}

// hold is asked when nothing else keeps the gate from being ready, and keeps it so while the question is open; not for
// longer than bareHold.
func (b *bareServer) hold() error {
	select {
	case <-b.settled:
		return nil
	default:
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.held {
		b.held = true
		time.AfterFunc(bareHold, b.settle)
	}
	return errBareServer
}

func (b *bareServer) known() bareserver.Result {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.result
}

// set writes the result down, and believes it only if the next gate of this pod will know it.
func (b *bareServer) set(result bareserver.Result) error {
	if err := os.WriteFile(b.marker, []byte(result), 0o600); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.result = result
	return nil
}

// askBareServer asks as soon as the server is well, unless the gate may have clients by then.
func (g *Gate) askBareServer(ctx context.Context) {
	b := g.bare
	defer b.settle()
	if !g.isServerWell(ctx) {
		return
	}
	if err := b.set(bareserver.Unclear); err != nil {
		g.options.Log.Warn("the server is not asked what it does without the gate: the next gate of this pod would ask again",
			"error", err.Error())
		return
	}
	result := bareserver.Ask(ctx, "http://"+g.upstreamAddress()+g.store.Current().Config.Upstream.Path)
	g.keepBareServer(result)
	b.settle()
	result = bareserver.Watch(ctx, result, func(ctx context.Context) error { return dialServer(ctx, g.upstreamAddress()) })
	g.keepBareServer(result)
	g.options.Log.Info("asked the server past the gate, without a token and with a malformed one", "bareServer", string(result))
}

// isServerWell waits for it; false if the gate became ready first, or there is nothing to wait for.
func (g *Gate) isServerWell(ctx context.Context) bool {
	ticker := time.NewTicker(bareGlance)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-g.bare.settled:
			return false
		default:
		}
		if g.listening.check() == nil && g.server.check() == nil {
			return true
		}
		select {
		case <-ctx.Done():
		case <-g.bare.settled:
		case <-ticker.C:
		}
	}
}

func (g *Gate) keepBareServer(result bareserver.Result) {
	if err := g.bare.set(result); err != nil {
		g.options.Log.Warn("the next gate of this pod will not know of the bare server", "error", err.Error())
	}
}
