package gate

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/selftest"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/source/certificate"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/source/snapshot"
)

// watchFiles renews the snapshot and tries the gate, after every change and until it has passed.
func (g *Gate) watchFiles(ctx context.Context, address string) {
	ticker := time.NewTicker(g.options.PollInterval)
	defer ticker.Stop()
	var tried *snapshot.Snapshot
	renewed := false
	for {
		if current := g.store.Current(); renewed || current != tried || g.selfTestVerdict() != selftest.Passed {
			g.runSelfTest(ctx, address, current)
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

func (g *Gate) runSelfTest(ctx context.Context, address string, current *snapshot.Snapshot) {
	verdict := selftest.Passed
	if err := g.selfTest.Run(ctx, address, current, g.options.Now()); err != nil {
		verdict = err.Error()
	}
	if before := g.selfTestVerdict(); verdict != before {
		level := slog.LevelInfo
		if verdict != selftest.Passed {
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
	return selftest.Pending
}

// followChanges follows what changes under open answers, the clock, and the gate's secret. It does not wait for the self-test.
func (g *Gate) followChanges(ctx context.Context) {
	ticker := time.NewTicker(g.options.PollInterval)
	defer ticker.Stop()
	judged := g.store.Current()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			g.secrets.Poll()
			g.streams.Expire(g.options.Now())
			if current := g.store.Current(); current != judged {
				g.streams.Judge()
				judged = current
			}
		}
	}
}

// pollFiles looks at all mounted files and tells whether another certificate is shown now.
func (g *Gate) pollFiles() (renewed bool) {
	g.store.Poll()
	return g.certificate != nil && g.certificate.Poll()
}

// problem is what keeps the mounted files, as they are now, from being in force.
func (g *Gate) problem() error {
	if g.certificate == nil {
		return g.store.Problem()
	}
	return errors.Join(g.store.Problem(), g.certificate.Problem())
}

// openCertificate reads the certificate where the configuration wants TLS. Without one the gate listens and refuses
// every handshake, and is not ready: it opens when the certificate comes, which a crash loop would only put off.
func (g *Gate) openCertificate() {
	if !g.store.Current().Config.TLS {
		return
	}
	g.certificate = certificate.Open(certificate.Source{
		Dir: g.options.TLSDir, Log: g.options.Log, Failed: func() { g.metrics.ReloadFailed("certificate") },
	})
	g.selfTest.Certificate = g.certificate
	g.metrics.WatchCertificate(g.certificate.Leaf)
}
