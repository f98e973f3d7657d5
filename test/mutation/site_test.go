//go:build mutation

package mutation

import (
	"context"
	"net"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/authproxy"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/admin"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/token"
	"github.com/mcp-gatehouse/gatehouse/test/mcpfake"
	"github.com/mcp-gatehouse/gatehouse/test/pod"
)

const (
	// patience bounds a case; nothing here is slow.
	patience = 10 * time.Second
	// leeway and lifetime are short: a token has to expire while the test waits.
	leeway   = time.Second
	lifetime = 30 * time.Second
	longest  = time.Hour

	host = "weather.tools.svc"
)

// issuer is one whose tokens the gate takes.
type issuer struct {
	name, url      string
	algorithm      keys.Algorithm
	inForce, spent keys.Private
}

// issuers are made once: RSA keys take long.
var issuers = sync.OnceValue(func() []issuer {
	all := []issuer{
		{name: "main", url: "https://issuer.example", algorithm: keys.RS256},
		{name: "second", url: "https://second.example", algorithm: keys.ES256},
	}
	for i := range all {
		for _, key := range []*keys.Private{&all[i].inForce, &all[i].spent} {
			made, err := keys.Generate(all[i].algorithm)
			if err != nil {
				panic(err)
			}
			*key = made
		}
	}
	return all
})

func (i issuer) audience() string { return i.url + "/mcp" }

// site is a gate in a process of its own, before a healthy server.
type site struct{ gate *pod.Gate }

// newSite starts a gate that was shown a key once which it is not shown any more.
func newSite(t *testing.T, program, mutant string) *site {
	t.Helper()
	log := filepath.Join(*outDir, "gate-"+mutant+".log")
	s := &site{gate: pod.NewGate(t, program, log, config(serve(t)))}
	s.gate.Environment = []string{environment + "=" + mutant}
	secret := pod.NewSecret()
	s.gate.WriteSecret(t, secret)
	for _, i := range issuers() {
		s.gate.WriteKeys(t, i.name, i.inForce.Public(), i.spent.Public())
	}
	s.gate.Launch(t, "--audit", "off")
	for _, i := range issuers() {
		s.gate.WriteKeys(t, i.name, i.inForce.Public())
	}
	pod.Eventually(t, "the gate has dropped the retired keys", func() bool { return s.keysLoaded(t, secret) == len(issuers()) })
	return s
}

func (s *site) keysLoaded(t *testing.T, secret []byte) int {
	t.Helper()
	key, err := admin.NewKey(secret)
	must(t, err)
	client := admin.Client{Key: key}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	state, err := client.State(ctx, s.gate.Admin(), pod.UID)
	must(t, err)
	count := 0
	for _, set := range state.Keys {
		count += len(set)
	}
	return count
}

// serve runs the server behind a gate.
func serve(t *testing.T) (port int32) {
	t.Helper()
	server, err := mcpfake.New(mcpfake.Options{})
	must(t, err)
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	must(t, err)
	go server.Serve(listener) //nolint:errcheck // Ends with the test.
	t.Cleanup(func() { _ = server.Close() })
	return int32(listener.Addr().(*net.TCPAddr).Port)
}

// lastPort is below those that the kernel gives to connections: nobody else takes one of these.
var lastPort atomic.Int32

func freePort() int32 { return 20_000 + lastPort.Add(1) }

func config(upstream int32) authproxy.Config {
	c := authproxy.Config{
		Server: authproxy.ServerID{Namespace: "tools", Name: "weather", UID: "1"},
		Port:   freePort(), AdminPort: freePort(),
		Upstream:       authproxy.Upstream{Port: upstream, Path: "/mcp"},
		AllowedHosts:   []string{host},
		SessionBinding: authproxy.SessionBindingCaller,
		Limits:         authproxy.Limits{BodyBytes: 4 << 20, TokenBytes: 8 << 10, FailuresPerSecond: 20, FailureBurst: 100, Streams: 64},
		Drain:          authproxy.Drain{RequestSeconds: 1},
	}
	for _, i := range issuers() {
		c.Providers = append(c.Providers, authproxy.Provider{
			Name: i.name, Issuer: i.url, Audiences: []string{i.audience()}, Algorithms: []keys.Algorithm{i.algorithm},
			ClockSkewSeconds: int32(leeway.Seconds()), MaxTokenLifetimeSeconds: int32(longest.Seconds()),
		})
	}
	return c
}

// probe puts a full round to the gate.
func (s *site) probe(t *testing.T) probe.Report {
	t.Helper()
	report, err := probe.New(probe.Options{}).Run(t.Context(), s.target())
	must(t, err)
	return report
}

func (s *site) target() probe.Target {
	target := probe.Target{
		URL:  "http://" + pod.Loopback(s.gate.Config.Port) + s.gate.Config.Upstream.Path,
		Tier: probe.Full, Exact: true, Timeout: patience, ClockTolerance: leeway,
	}
	for _, i := range issuers() {
		target.Providers = append(target.Providers, probe.Provider{
			Name: i.name, Retired: []keys.Private{i.spent},
			Tokens: token.Template{Key: i.inForce, Issuer: i.url, Audience: i.audience(), Subject: "prober", Lifetime: lifetime},
		})
	}
	return target
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
