package gate

import (
	"context"
	"math"
	"runtime/debug"
	"strings"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/authproxy"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/admin"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/snapshot"
)

// tellLife fills in what State says of the process and its work so far.
func (g *Gate) tellLife(state *admin.State, current *snapshot.Snapshot) {
	state.ConfigSchema = strings.TrimSuffix(authproxy.ConfigFile, ".json")
	state.UptimeSeconds = int64(g.options.Now().Sub(g.began).Seconds())
	// A negative limit only asks for the one in force.
	if limit := debug.SetMemoryLimit(-1); limit != math.MaxInt64 {
		state.MemoryLimitBytes = limit
	}
	g.tellFaulty(state)
	state.OpenStreams = g.streams.Count()
	g.tally.tell(state, func(provider string) bool {
		_, configured := current.Keys[provider]
		return configured
	})
}

// startAudit writes audit lines until stop is called, which waits for the last of them: those that sum up what was left
// out.
func (g *Gate) startAudit() (stop func()) {
	if g.audit == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(context.Background())
	written := make(chan struct{})
	go func() {
		defer close(written)
		g.audit.Run(ctx)
	}()
	go g.sumUp(ctx)
	return func() {
		g.sampler.Flush(g.options.Now())
		cancel()
		<-written
	}
}

// sumUp ends windows also while nobody comes.
func (g *Gate) sumUp(ctx context.Context) {
	ticker := time.NewTicker(g.options.PollInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			g.sampler.Tick(g.options.Now())
		}
	}
}
