package gate

import (
	"crypto/rand"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/admin"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/authn/session"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/drain"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/forward"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/limit/budget"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/limit/connection"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/limit/ratelimit"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/limit/streams"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/request"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/selftest"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/source/certificate"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/source/remote"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/source/secret"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/source/snapshot"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/telemetry/audit"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/telemetry/metrics"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/telemetry/probeid"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/telemetry/stats"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/upstream/bareserver"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/upstream/health"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

// Gate is one gate in front of one server.
type Gate struct {
	options     Options
	instance    string
	store       *snapshot.Store
	remote      *remote.Group // of keys
	drain       *drain.Drain
	connections *connection.Pool
	metrics     *metrics.Metrics
	server      *health.Server
	listening   *health.Listening
	selfTest    selftest.Test
	verdict     atomic.Pointer[string] // of the self-test; nil before the first
	began       time.Time
	secrets     *secret.Store
	streams     *streams.Registry
	clients     *request.Handler
	audit       *audit.Log // nil if nobody wants it
	sampler     *audit.Sampler
	stats       *stats.Stats
	canary      canary
	bareServer  *bareserver.Once
	redirect    redirect
	// startLevel is that of the log before any configuration.
	startLevel slog.Level
	// certificate is nil without TLS.
	certificate *certificate.Store
	// fetchedOnce: remote keys of each provider that was configured at the start have come, or failed to.
	fetchedOnce atomic.Bool
}

// New reads configuration and keys. It fails without a good configuration; without keys the gate is closed, and opens
// when they come.
func New(options Options) (*Gate, error) {
	o := options.withDefaults()
	probes, err := probeid.NewRecognizer(o.PodUID)
	if err != nil {
		return nil, fmt.Errorf("start the gate: %w", err)
	}
	g := &Gate{
		options: o, instance: rand.Text(), began: o.Now(), stats: stats.New(),
		secrets: secret.Open(o.SecretDir, o.Log), sampler: audit.NewSampler(nil),
		selfTest: selftest.Test{RequestID: func() string { return probes.Mint(o.Now()) }},
	}
	g.rememberLogLevel()
	g.metrics = metrics.New(g.keyCounts)
	limits := budget.For(o.MemoryLimit)
	g.connections = connection.New(limits.Waiting, g.metrics.ConnectionClosed)
	g.prepareRemoteKeys()
	g.store, err = snapshot.Open(snapshot.Source{
		ConfigDir: o.ConfigDir, KeysDir: o.KeysDir, PodUID: o.PodUID, Now: o.Now, Log: o.Log, Failed: g.reloadFailed,
		Remote: g.remoteKeys, Changed: g.changed,
	})
	if err != nil {
		return nil, fmt.Errorf("start the gate: %w", err)
	}
	g.streams = streams.New(g.store.Current, (limits.Requests+1)/2) // so that there is room for other requests
	g.drain = drain.New(g.streams.Drain)
	g.metrics.WatchStreams(g.streams.Count)
	if server := g.store.Current().Config.Server; o.Audit != nil {
		g.audit = audit.New(o.Audit, server.Namespace+"/"+server.Name)
		g.metrics.WatchAudit(g.audit.Dropped)
		g.sampler = audit.NewSampler(g.audit.WriteSummary)
	}
	g.openCertificate()
	g.metrics.WatchFiles(g.problem)
	g.server = health.NewServer(g.upstreamAddress, func() string { return g.store.Current().Config.Upstream.HealthPath })
	g.listening = health.NewListening(g.upstreamAddress)
	g.bareServer = bareserver.NewOnce(g.store.Current().Config.Upstream.BareServer, o.RunDir, o.Log)
	g.clients = &request.Handler{
		Store: g.store, Keys: g.remote, Secrets: g.secrets, Drain: g.drain, RateLimit: ratelimit.New(time.Now),
		Forwarder: forward.New(o.UpstreamHost, o.AnswerTimeout, podNames()...), Budget: budget.New[session.Caller](limits),
		Connections: g.connections, Streams: g.streams, Metrics: g.metrics, Stats: g.stats, Audit: g.audit, Sampler: g.sampler,
		Probes: probes, Ready: g.ready, Redirected: g.redirected, Now: o.Now, Log: o.Log, WritePatience: o.WritePatience,
	}
	return g, nil
}

// ClientHandler serves MCP clients.
func (g *Gate) ClientHandler() http.Handler { return g.clients }

// AdminHandler serves the admin port; see admin.Handler. /readyz stays 503 until Run has tried the gate.
func (g *Gate) AdminHandler() http.Handler {
	return admin.Handler(admin.Routes{
		Ready: g.ready, Server: g.server.Check, Quiesce: g.quiesce,
		Metrics: g.metrics.Handler(),
		State: admin.StateHandler(admin.StateSource{
			Keys: g.adminKeys, PodUID: g.options.PodUID, State: g.state, Now: g.options.Now,
		}),
	})
}

func (g *Gate) upstreamAddress() string {
	return net.JoinHostPort(g.options.UpstreamHost, strconv.Itoa(int(g.store.Current().Config.Upstream.Port)))
}

func (g *Gate) keyCounts() map[string]int {
	counts := map[string]int{}
	for provider, set := range g.store.Current().Keys {
		counts[provider] = len(set)
	}
	return counts
}

func (g *Gate) reloadFailed(file string) {
	switch file {
	case gateapi.ConfigFile:
		g.metrics.ReloadFailed("config")
	case gateapi.RevokedFile:
		g.metrics.ReloadFailed("revoked")
	default:
		g.metrics.ReloadFailed("keys")
	}
}
