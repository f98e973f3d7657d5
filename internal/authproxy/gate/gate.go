package gate

import (
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/authproxy"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/admin"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/audit"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/budget"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/certificate"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/drain"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/flood"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/forward"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/metrics"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/remote"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/session"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/snapshot"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/streams"
)

// Options say where a gate finds what it needs. The zero value of each field is its default.
type Options struct {
	// ConfigDir, KeysDir, SecretDir, TLSDir and RunDir default to authproxy.ConfigDir and so on.
	ConfigDir, KeysDir, SecretDir, TLSDir, RunDir string
	// PodUID binds the State of this gate to its pod. Without it there is no /state.
	PodUID string
	// UpstreamHost is where the server listens; the default is "127.0.0.1".
	UpstreamHost string
	Version      string
	// Now is the clock that tokens are judged by; the default is time.Now.
	Now func() time.Time
	// Log gets a line per request and per change; the default is to discard them.
	Log *slog.Logger
	// LogLevel is that of Log; it follows the configuration. nil leaves it alone.
	LogLevel *slog.LevelVar
	// ClientListener, AdminListener and CanaryListener are served by Run in place of the configured ports. Run closes them.
	ClientListener, AdminListener, CanaryListener net.Listener
	// PollInterval is how often the mounted files are read; the default is 1 s.
	PollInterval time.Duration
	// AnswerTimeout bounds the wait for a server's answer to begin; the default is forward.DefaultAnswerTimeout.
	AnswerTimeout time.Duration
	// WritePatience is how long a client may leave what it is sent unread; the default is a minute.
	WritePatience time.Duration
	// MemoryLimit is what the container may use, in bytes; 0 is no limit. What requests in progress may hold follows from
	// it; see budget.For.
	MemoryLimit int64
	// Audit gets a line of JSON per decision while Run runs; nil is nowhere.
	Audit io.Writer
	// JudgeKeyAddress refuses addresses that remote keys would be fetched from; the default is remote.JudgeAddress. No
	// configuration reaches it.
	JudgeKeyAddress func(netip.Addr) error
}

func (o Options) withDefaults() Options {
	text := func(value *string, fallback string) {
		if *value == "" {
			*value = fallback
		}
	}
	text(&o.ConfigDir, authproxy.ConfigDir)
	text(&o.KeysDir, authproxy.KeysDir)
	text(&o.SecretDir, authproxy.SecretDir)
	text(&o.TLSDir, authproxy.TLSDir)
	text(&o.RunDir, authproxy.RunDir)
	text(&o.UpstreamHost, "127.0.0.1")
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.PollInterval == 0 {
		o.PollInterval = time.Second
	}
	if o.AnswerTimeout == 0 {
		o.AnswerTimeout = forward.DefaultAnswerTimeout
	}
	if o.WritePatience == 0 {
		o.WritePatience = writePatience
	}
	return o
}

// Gate is one gate in front of one server.
type Gate struct {
	options   Options
	instance  string
	store     *snapshot.Store
	remote    *remote.Group // of keys
	forwarder *forward.Forwarder
	drain     *drain.Drain
	guard     *flood.Guard
	budget    *budget.Budget[session.Caller]
	waiting   *connections
	metrics   *metrics.Metrics
	server    *serverCheck
	listening *listenCheck
	selfTest  selfTest
	verdict   atomic.Pointer[string] // of the self-test; nil before the first
	began     time.Time
	secrets   *secretStore
	streams   *streams.Registry
	audit     *audit.Log // nil if nobody wants it
	sampler   *audit.Sampler
	tally     *tally
	probes    *probes
	canary    canary
	bare      *bareServer
	redirect  redirect
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
	g := &Gate{
		options: o, instance: rand.Text(), drain: drain.New(), began: o.Now(), tally: newTally(),
		secrets: newSecretStore(o.SecretDir, o.Log), guard: flood.New(time.Now),
		forwarder: forward.New(o.UpstreamHost, o.AnswerTimeout, podNames()...), sampler: audit.NewSampler(nil),
	}
	g.rememberLogLevel()
	var err error
	if g.probes, err = newProbes(o.PodUID); err != nil {
		return nil, fmt.Errorf("start the gate: %w", err)
	}
	g.selfTest.requestID = func() string { return g.probes.mint(o.Now()) }
	g.metrics = metrics.New(g.keyCounts)
	limits := budget.For(o.MemoryLimit)
	g.budget, g.waiting = budget.New[session.Caller](limits), newConnections(limits.Waiting, g.metrics.ConnectionClosed)
	g.fetchKeys()
	store, err := snapshot.Open(snapshot.Source{
		ConfigDir: o.ConfigDir, KeysDir: o.KeysDir, PodUID: o.PodUID, Now: o.Now, Log: o.Log, Failed: g.reloadFailed,
		Remote: g.remoteKeys, Changed: g.changed,
	})
	if err != nil {
		return nil, fmt.Errorf("start the gate: %w", err)
	}
	g.store = store
	g.streams = streams.New(store.Current, (limits.Requests+1)/2) // so that there is room for other requests
	g.metrics.WatchStreams(g.streams.Count)
	if server := store.Current().Config.Server; o.Audit != nil {
		g.audit = audit.New(o.Audit, server.Namespace+"/"+server.Name)
		g.metrics.WatchAudit(g.audit.Dropped)
		g.sampler = audit.NewSampler(g.audit.WriteSummary)
	}
	g.openCertificate()
	g.metrics.WatchFiles(g.problem)
	g.server = newServerCheck(g.upstreamAddress, func() string { return store.Current().Config.Upstream.HealthPath })
	g.listening = newListenCheck(g.upstreamAddress)
	g.bare = newBareServer(store.Current().Config.Upstream.BareServer, o.RunDir)
	return g, nil
}

// ClientHandler serves MCP clients.
func (g *Gate) ClientHandler() http.Handler { return http.HandlerFunc(g.serveClient) }

// AdminHandler serves the admin port; see admin.Handler. /readyz stays 503 until Run has tried the gate.
func (g *Gate) AdminHandler() http.Handler {
	return admin.Handler(admin.Routes{
		Ready: g.ready, Server: g.server.check, Quiesce: g.quiesce,
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
	case authproxy.ConfigFile:
		g.metrics.ReloadFailed("config")
	case authproxy.RevokedFile:
		g.metrics.ReloadFailed("revoked")
	default:
		g.metrics.ReloadFailed("keys")
	}
}

func (g *Gate) adminKeys() []admin.Key { return g.secrets.current.Load().admin }

func (g *Gate) state() admin.State {
	current := g.store.Current()
	state := admin.State{
		Instance: g.instance, PodUID: g.options.PodUID, Version: g.options.Version,
		ConfigSHA256: current.ConfigSHA256, RevokedSHA256: current.RevokedSHA256,
		Keys: map[string][]string{}, KeysLoaded: current.LoadedAt, SelfTest: g.selfTestVerdict(),
		Time: g.options.Now(), TLS: g.certificate != nil, CertificateSHA256: g.certificate.SHA256(), CertificateExpires: g.certificate.Expires(),
		CanaryPort: g.canary.port.Load(), BareServer: g.bare.known(), Fence: true, Terminating: g.drain.Ending(),
		Secrets: g.secrets.current.Load().ids,
	}
	if leaf := g.certificate.Leaf(); leaf != nil {
		state.CertificateNotBefore = leaf.NotBefore
	}
	if current.Config.ProbeKey != nil {
		state.ProbeKey = current.Config.ProbeKey.ID
	}
	g.tellLife(&state, current)
	for provider, set := range current.Keys {
		ids := []string{}
		for _, key := range set {
			ids = append(ids, key.ID)
		}
		state.Keys[provider] = ids
	}
	state.Remote = g.remoteState(current.Config)
	if err := g.problem(); err != nil {
		state.LastReloadError = err.Error()
	}
	listeners, err := admin.ForeignListeners()
	if err != nil {
		g.options.Log.Error("cannot list the pod's listeners", "error", err.Error())
	}
	state.Listeners = listeners
	state.ServerAbsence = g.serverAbsence()
	return state
}
