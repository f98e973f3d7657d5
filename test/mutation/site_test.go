//go:build mutation

package mutation

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"net"
	"net/url"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/admin"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/telemetry/probeid"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/forms"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/runner"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/verdicts"
	"github.com/mcp-gatehouse/gatehouse/internal/token"
	"github.com/mcp-gatehouse/gatehouse/test/mcpfake"
	"github.com/mcp-gatehouse/gatehouse/test/pod"
)

const (
	// patience bounds a case; nothing here is slow.
	patience      = 10 * time.Second
	leeway        = 2 * time.Second
	tokenLifetime = time.Minute
	// fleeting is the life of tokens that have to expire while the test waits.
	fleeting = 2 * time.Second
	longest  = time.Hour

	bodyBytes  = 4 << 20
	tokenBytes = 8 << 10
	scope      = "weather"
	revoked    = "stolen"
	outdated   = "somebody who has left"
	extraPath  = "/files"
	healthPath = "/alive"
	resource   = "https://mcp.example/mcp"
	authority  = "https://as.example"
)

// issuer is one whose tokens the gate takes.
type issuer struct {
	name, url string
	algorithm keys.Algorithm
	// inForce and others are: the prober has one, and of the others the public halves. It has spent, which is not any more.
	inForce, spent keys.Private
	others         []keys.Public
	// probing is the gate's probe key for this issuer, of whose own keys the prober has none; without an algorithm there is
	// none.
	probing keys.Private
}

func (i issuer) isProbed() bool { return i.probing.Algorithm() != "" }

// issuers are made once, as all gates have the same.
var issuers = sync.OnceValue(func() []issuer {
	all := []issuer{
		{name: "main", url: "https://issuer.example", algorithm: keys.ES256},
		{name: "second", url: "https://second.example", algorithm: keys.RS256},
		{name: "third", url: "https://third.example", algorithm: keys.ES256},
	}
	probing, err := keys.Generate(keys.EdDSA)
	if err != nil {
		panic(err)
	}
	all[2].probing = probing
	for i := range all {
		for _, key := range []*keys.Private{&all[i].inForce, &all[i].spent} {
			made, err := keys.Generate(all[i].algorithm)
			if err != nil {
				panic(err)
			}
			*key = made
		}
		other, err := keys.Generate(all[i].algorithm)
		if err != nil {
			panic(err)
		}
		all[i].others = []keys.Public{other.Public()}
	}
	return all
})

func (i issuer) inUse() []keys.Public { return append([]keys.Public{i.inForce.Public()}, i.others...) }

func (i issuer) audience() string { return i.url + "/mcp" }

// site is a gate in a process of its own, before a healthy server.
type site struct {
	gate   *pod.Gate
	secret []byte
	// digest is that of the certificate, "" without TLS.
	digest string
}

// starting holds a place for each gate that starts: two dozen at once would wait for each other's processor time.
var starting = make(chan struct{}, 4)

// newSite starts a gate that was shown a key once which it is not shown any more.
func newSite(t *testing.T, program, mutant string, overTLS bool) *site {
	t.Helper()
	log := filepath.Join(*outDir, "gate-"+url.PathEscape(mutant)+".log")
	config := gateConfig(serve(t))
	starting <- struct{}{}
	defer func() { <-starting }()
	config.TLS = overTLS
	s := &site{gate: pod.NewGate(t, program, log, config), secret: pod.NewSecret()}
	if overTLS {
		s.digest = s.gate.MountCertificate(t)
	}
	s.gate.Environment = []string{environment + "=" + mutant}
	s.gate.WriteSecret(t, s.secret)
	pod.Mount(t, s.gate.Dir, gateapi.RevokedFile, []byte("jti:"+revoked+"\nsub:"+revoked+"\nissuedBefore:9999-12-31T23:59:59Z "+outdated+"\n"))
	for _, i := range issuers() {
		s.gate.WriteKeys(t, i.name, append(i.inUse(), i.spent.Public())...)
	}
	s.gate.Launch(t, "--audit", "off")
	loaded := 0
	for _, i := range issuers() {
		s.gate.WriteKeys(t, i.name, i.inUse()...)
		loaded += len(i.inUse())
	}
	pod.Eventually(t, "the gate has dropped the retired keys", func() bool { return s.keysLoaded(t) == loaded })
	return s
}

// keysLoaded returns how many keys the gate has, or none if it does not answer in time: many gates start at once.
func (s *site) keysLoaded(t *testing.T) int {
	t.Helper()
	key, err := admin.NewKey(s.secret)
	must(t, err)
	client := admin.Client{Key: key}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	state, err := client.State(ctx, s.gate.Admin(), pod.UID)
	if err != nil {
		t.Logf("asked for its keys: %v", err)
	}
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

// tenantClaim is inside of another claim, and says for whom the issuers' tokens are.
const tenantClaim, tenant = "/org/tenant", "green"

func freePort() int32 { return 20_000 + lastPort.Add(1) }

func gateConfig(upstream int32) gateapi.Config {
	c := gateapi.Config{
		Server: gateapi.ServerID{Namespace: "tools", Name: "weather", UID: "1"},
		Port:   freePort(), AdminPort: freePort(),
		Upstream:         gateapi.Upstream{Port: upstream, Path: "/mcp", ExtraPaths: []string{extraPath}},
		AllowedHosts:     []string{"weather.tools.svc"},
		Authorization:    authorization(),
		ResourceMetadata: &gateapi.ResourceMetadata{Resource: resource, AuthorizationServers: []string{authority}},
		HealthPaths:      []string{healthPath},
		SessionBinding:   gateapi.SessionBindingCaller,
		Limits:           gateapi.Limits{BodyBytes: bodyBytes, TokenBytes: tokenBytes, FailuresPerSecond: 1000, FailureBurst: 1000, Streams: 64},
		Drain:            gateapi.Drain{RequestSeconds: 1},
	}
	for _, i := range issuers() {
		c.Providers = append(c.Providers, gateapi.Provider{
			Name: i.name, Issuer: i.url, Audiences: []string{i.audience()}, Algorithms: []keys.Algorithm{i.algorithm},
			ClockSkewSeconds: int32(leeway.Seconds()), MaxTokenLifetimeSeconds: int32(longest.Seconds()),
			RequiredClaims: []gateapi.ClaimMatch{{Name: tenantClaim, Values: []string{"blue", tenant}}},
		})
		if !i.isProbed() {
			continue
		}
		c.Providers[len(c.Providers)-1].IdentityClaims = probedIdentity
		c.ProbeKey = &gateapi.ProbeKey{
			ID: i.probing.ID(), PublicKey: base64.RawURLEncoding.EncodeToString(i.probing.Public().Key.(ed25519.PublicKey)),
			Providers: []string{i.name},
		}
	}
	return c
}

// authorization has a tool that nobody may call, one that wants a scope, and those that no rule names.
func authorization() gateapi.Authorization {
	return gateapi.Authorization{
		RequiredScopes: []string{scope},
		Rules: []gateapi.Rule{
			{Tools: []string{"whoami"}, Scopes: []string{"admin"}},
			{Tools: []string{"sleep"}, Claims: []gateapi.ClaimMatch{{Name: "role", Values: []string{"root"}}}},
		},
	}
}

// probe puts a full round to the gate, when the tokens of an earlier one have expired: one without rows of the catalogue of
// forms; or, where these are to have their turn, rounds with all of them, until one is judged as wanted. It gives that one, or
// the last.
func (s *site) probe(t *testing.T, inForms bool, wanted func(probe.Verdict) bool) probe.Report {
	t.Helper()
	before, err := prober.Run(t.Context(), s.target(fleeting, probe.Turn{Rest: true}))
	must(t, err)
	time.Sleep(time.Until(before.Replay.Ripe()))
	turns := []probe.Turn{{Rest: true}}
	if inForms {
		turns = s.turns()
	}
	for {
		now := turns[:min(atOnce, len(turns))]
		turns = turns[len(now):]
		reports := s.rounds(t, before.Replay, now)
		if i := slices.IndexFunc(reports, func(r probe.Report) bool { return wanted(verdicts.Of(r)) }); i >= 0 {
			return reports[i]
		}
		if len(turns) == 0 {
			return reports[len(reports)-1]
		}
	}
}

// turns are those of the full rounds that ask each form once.
func (s *site) turns() []probe.Turn {
	inForms := map[string]bool{}
	for _, row := range forms.Rows(s.target(tokenLifetime, probe.Turn{})) {
		inForms[row.Form] = true
	}
	var turns []probe.Turn
	for i := range uint64(len(inForms)/3 + 1) {
		turns = append(turns, probe.Turn{Round: i + 1, Light: 3 * i, Heavy: i})
	}
	return turns
}

// prober is one for all gates, as the operator has one: it keeps the keys that it forges with, which take a while to make.
var prober = runner.New(runner.Options{})

// atOnce is how many rounds a gate is put to at the same time. A round is mostly waiting: it spares gates that take fewer
// bad tokens a second than these.
const atOnce = 8

// rounds puts full rounds to the gate, and gives their reports in the order of their turns.
func (s *site) rounds(t *testing.T, replay probe.Replay, turns []probe.Turn) []probe.Report {
	t.Helper()
	reports, errs := make([]probe.Report, len(turns)), make([]error, len(turns))
	var running sync.WaitGroup
	for i, turn := range turns {
		target := s.target(tokenLifetime, turn)
		target.Replay = replay
		running.Go(func() { reports[i], errs[i] = prober.Run(t.Context(), target) })
	}
	running.Wait()
	must(t, errors.Join(errs...))
	return reports
}

func (s *site) target(lifetime time.Duration, turn probe.Turn) probe.Target {
	scheme := "http://"
	if s.digest != "" {
		scheme = "https://"
	}
	target := probe.Target{
		URL:  scheme + pod.Loopback(s.gate.Config.Port) + s.gate.Config.Upstream.Path,
		Tier: probe.Full, Exact: true, Timeout: patience, ClockTolerance: leeway, Turn: turn, Seed: 1, RequestID: s.requestID(),
		Policy: policy(), Hosts: []string{clientHost},
	}
	if s.digest != "" {
		target.CertificateSHA256 = []string{s.digest}
	}
	for _, i := range issuers() {
		if i.isProbed() {
			target.Providers = append(target.Providers, i.probed(lifetime))
			continue
		}
		target.Providers = append(target.Providers, probe.Provider{
			Name: i.name, Public: i.others, Retired: []keys.Private{i.spent}, MaxTokenLifetime: longest,
			OtherCaller: map[string]any{"sub": gateapi.OtherProbeSubject, "client_id": gateapi.OtherProbeSubject},
			Tokens: token.Template{
				Key: i.inForce, Issuer: i.url, Audience: i.audience(), Subject: gateapi.ProbeSubject, Scope: scope, Lifetime: lifetime,
				Claims: map[string]any{tenantClaim: tenant},
			},
			Required: []string{tenantClaim},
		})
	}
	return target
}

// probedIdentity are the claims by which callers of the issuer are known whom the prober tries by the probe key.
var probedIdentity = []string{"sub", "email"}

// probed is what the prober knows of an issuer of whose own keys it has none.
func (i issuer) probed(lifetime time.Duration) probe.Provider {
	return probe.Provider{
		Name: i.name, ProbeKey: true, Public: i.inUse(), MaxTokenLifetime: longest,
		OtherCaller: map[string]any{"sub": gateapi.OtherProbeSubject, "email": gateapi.OtherProbeSubject},
		Tokens: token.Template{
			Key: i.probing, Issuer: i.url, Audience: i.audience(), Subject: gateapi.ProbeSubject, Scope: scope, Lifetime: lifetime,
			Identity: probedIdentity, Claims: map[string]any{
				"email": gateapi.ProbeSubject, gateapi.ProbePodClaim: pod.UID, tenantClaim: tenant,
			},
		},
		Required: []string{tenantClaim},
	}
}

// policy is what the prober is told of the gate.
func policy() probe.Policy {
	return probe.Policy{
		RequiredScopes: []string{scope}, SessionBinding: true, Hosts: true, Origins: true, BodyBytes: bodyBytes, TokenBytes: tokenBytes,
		RevokedID: revoked, RevokedSubject: revoked, RevokedBefore: outdated, Slash: probe.SlashDistinct, ExtraPaths: []string{extraPath},
		HealthPaths: []string{healthPath},
		Metadata:    &probe.ResourceMetadata{Resource: resource, AuthorizationServers: []string{authority}},
		RuleCases: []probe.RuleCase{
			{Method: "tools/call", Name: "whoami", Scopes: []string{scope, "admin"}, WithoutScope: "admin"},
			{Method: "tools/call", Name: "sleep", Scopes: []string{scope}, Claims: map[string]any{"role": "root"}, WithoutClaim: "role"},
		},
		Forbidden:       []probe.Call{{Method: "tools/call", Name: "erase"}},
		ProbeRestricted: true, Allowed: []probe.Call{{Method: "resources/read", Name: "file:///nothing"}},
	}
}

// requestID makes ids as the operator does.
func (s *site) requestID() func() string {
	key, err := probeid.NewKey(s.secret)
	if err != nil {
		panic(err)
	}
	return func() string {
		var random [probeid.RandomBytes]byte
		rand.Read(random[:])
		return key.New(probeid.Pod(pod.UID), time.Now(), random)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
