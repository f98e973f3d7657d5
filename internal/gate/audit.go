package gate

import (
	"context"
	"time"
)

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
	go g.summarize(ctx)
	return func() {
		g.sampler.Flush(g.options.Now())
		cancel()
		<-written
	}
}

// summarize ends windows also while nobody comes.
func (g *Gate) summarize(ctx context.Context) {
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
