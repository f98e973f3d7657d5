package pair_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gate"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/runner"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/verdicts"
	"github.com/mcp-gatehouse/gatehouse/internal/token"
	"github.com/mcp-gatehouse/gatehouse/test/mcpfake"
)

const (
	longest   = time.Hour
	podUID    = "6d9f5c0e-0000-4000-8000-000000000001"
	bodyLimit = 400 << 10
	// tokenLimit is the most that there may be: with the rest of a request's header it stays below what is read of one.
	tokenLimit = 24 << 10
	resource   = "https://mcp.example/mcp"
)

// estate is a gate that has all that a gate can have: two issuers, scopes, rules, bound sessions, revocations.
type estate struct {
	target probe.Target
	mu     sync.Mutex
	ahead  time.Duration
}

// now is the clock of both gate and prober.
func (e *estate) now() time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	return time.Now().Add(e.ahead)
}

func (e *estate) advance(by time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.ahead += by
}

// newEstate has a first issuer with keys of the algorithm, and a second whose tokens are as sparse as they can be.
func newEstate(t *testing.T, algorithm keys.Algorithm, options mcpfake.Options) (*estate, *mcpfake.Server) {
	t.Helper()
	server, addr := fake(t, options)
	first, second := newKeyOf(t, algorithm), newKeyOf(t, keys.HS256)
	third, probing := newKeyOf(t, keys.ES256), newKeyOf(t, keys.EdDSA)
	retired := newKeyOf(t, keys.EdDSA)
	elsewhere := newKeyOf(t, keys.ES256)
	config := gateapi.Config{
		Server: gateapi.ServerID{Namespace: "demo", Name: "server", UID: "1"},
		Port:   8080, AdminPort: 9090,
		Upstream:    gateapi.Upstream{Port: portOf(addr), Path: "/mcp", ExtraPaths: []string{"/files"}},
		HealthPaths: []string{"/", "/alive"},
		Providers: []gateapi.Provider{
			{
				Name: "first", Issuer: "urn:first", Audiences: []string{"urn:server"}, ClockSkewSeconds: 30,
				Algorithms: []keys.Algorithm{algorithm, keys.ES256}, MaxTokenLifetimeSeconds: int32(longest.Seconds()),
				Keys: gateapi.KeySource{Files: []string{"first"}},
			},
			{
				Name: "second", Algorithms: []keys.Algorithm{keys.HS256}, ClockSkewSeconds: 30, IdentityClaims: []string{"id", "uuid"},
				TokenTypes: []string{""}, Keys: gateapi.KeySource{Files: []string{"second"}, Format: gateapi.FormatSharedSecret},
			},
			{
				Name: "third", Issuer: "urn:third", Audiences: []string{"urn:server"}, ClockSkewSeconds: 30,
				Algorithms: []keys.Algorithm{keys.ES256}, IdentityClaims: []string{"sub", "email"},
			},
		},
		ProbeKey: &gateapi.ProbeKey{
			ID: probing.ID(), PublicKey: base64.RawURLEncoding.EncodeToString(probing.Public().Key.(ed25519.PublicKey)),
			Providers: []string{"third"},
		},
		Authorization: gateapi.Authorization{
			RequiredScopes: []string{"mcp"},
			Rules: []gateapi.Rule{
				{Tools: []string{"echo"}, Scopes: []string{"mcp"}}, {Tools: []string{"admin"}, Scopes: []string{"admin"}},
				{Methods: []string{"resources/read"}, Scopes: []string{"read"}},
				{Methods: []string{"prompts/*"}, Scopes: []string{"prompts"}, Claims: []gateapi.ClaimMatch{{Name: "group", Values: []string{"staff"}}}},
			},
		},
		ResourceMetadata: &gateapi.ResourceMetadata{Resource: resource, AuthorizationServers: []string{"https://as.example"}},
		SessionBinding:   gateapi.SessionBindingCaller,
		Limits:           gateapi.Limits{BodyBytes: bodyLimit, TokenBytes: tokenLimit},
	}
	e := &estate{}
	firstFile, format := published(t, first, elsewhere)
	if config.Providers[0].Keys.Format = format; format == gateapi.FormatSharedSecret {
		config.Providers[0].Algorithms = []keys.Algorithm{algorithm}
	}
	secret, _ := second.Public().Key.([]byte)
	thirdFile, _ := published(t, third)
	e.target = probe.Target{
		URL: serveEstate(t, e, config, map[string][]byte{
			"first": firstFile, "second": secret, gateapi.KeysFile("third"): thirdFile,
		}), Exact: true, Timeout: patience,
		ClockTolerance: 30 * time.Second, Providers: append(providersOf(first, second, retired, elsewhere), probedBy(probing, third)),
		Policy: policy(),
	}
	return e, server
}

// policy is what the prober is told of the estate.
func policy() probe.Policy {
	guarded := probe.RuleCase{Method: "prompts/list", Scopes: []string{"mcp", "prompts"}, Claims: map[string]any{"group": "staff"}}
	withoutScope, withoutClaim := guarded, guarded
	withoutScope.WithoutScope, withoutClaim.WithoutClaim = "prompts", "group"
	return probe.Policy{
		RequiredScopes: []string{"mcp"}, SessionBinding: true, Hosts: true, Origins: true, BodyBytes: bodyLimit, TokenBytes: tokenLimit,
		RevokedID: "revoked-id", RevokedSubject: "revoked", RevokedBefore: "outdated", Slash: probe.SlashDistinct, ExtraPaths: []string{"/files"},
		HealthPaths:     []string{"/", "/alive"},
		Metadata:        &probe.ResourceMetadata{Resource: resource, AuthorizationServers: []string{"https://as.example"}},
		ProbeRestricted: true, Allowed: []probe.Call{{Method: "tools/call", Name: "echo"}},
		RuleCases: []probe.RuleCase{withoutScope, withoutClaim},
		Forbidden: []probe.Call{
			{Method: "tools/call", Name: "no-such-tool"},
			{Method: "tools/call", Name: "admin", Scopes: []string{"mcp", "admin"}},
			{Method: "resources/read", Name: "file:///etc/passwd", Scopes: []string{"mcp", "read"}},
		},
	}
}

func providersOf(first, second, retired, elsewhere keys.Private) []probe.Provider {
	out := []probe.Provider{
		{
			Name: "first", Retired: []keys.Private{retired}, MaxTokenLifetime: longest, OtherCaller: map[string]any{"sub": "gatehouse-probe-other"},
			Tokens: token.Template{
				Key: first, Issuer: "urn:first", Audience: "urn:server", Subject: "gatehouse-probe", Scope: "mcp", Lifetime: time.Minute,
			},
		},
		{
			Name: "second", OtherCaller: map[string]any{"uuid": "b"},
			Tokens: token.Template{
				Key: second, Type: token.NoType, Scope: "mcp", Lifetime: time.Minute, Bare: true,
				Claims: map[string]any{"id": "7", "uuid": "a"}, Identity: []string{"id", "uuid"},
			},
		},
	}
	if !first.Algorithm().Symmetric() {
		out[0].Public = []keys.Public{elsewhere.Public()}
	}
	return out
}

// probedBy is an issuer of whose keys the prober has none, and its own that the gate takes for one.
func probedBy(probing, own keys.Private) probe.Provider {
	return probe.Provider{
		Name: "third", ProbeKey: true, Public: []keys.Public{own.Public()},
		OtherCaller: map[string]any{"sub": gateapi.OtherProbeSubject, "email": gateapi.OtherProbeSubject},
		Tokens: token.Template{
			Key: probing, Issuer: "urn:third", Audience: "urn:server", Subject: gateapi.ProbeSubject, Scope: "mcp",
			Lifetime: gateapi.ProbeTokenLifetime, Identity: []string{"sub", "email"},
			Claims: map[string]any{"email": gateapi.ProbeSubject, gateapi.ProbePodClaim: podUID},
		},
	}
}

// published are the first issuer's keys as its file has them: a set, or one secret.
func published(t *testing.T, set ...keys.Private) ([]byte, gateapi.KeyFormat) {
	t.Helper()
	if secret, shared := set[0].Public().Key.([]byte); shared {
		return secret, gateapi.FormatSharedSecret
	}
	var public []keys.Public
	for _, key := range set {
		public = append(public, key.Public())
	}
	data, err := keys.MarshalPublic(public)
	if err != nil {
		t.Fatal(err)
	}
	return data, gateapi.FormatJWKS
}

func serveEstate(t *testing.T, e *estate, config gateapi.Config, keyFiles map[string][]byte) string {
	t.Helper()
	configDir, keysDir, secretDir := t.TempDir(), t.TempDir(), t.TempDir()
	data, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(configDir, gateapi.ConfigFile), data)
	write(t, filepath.Join(keysDir, gateapi.RevokedFile), []byte("jti:revoked-id\nsub:revoked\nissuedBefore:9999-12-31T23:59:59Z outdated\n"))
	write(t, filepath.Join(secretDir, gateapi.SecretFile), []byte(strings.Repeat("s", 31)+"!"))
	for name, content := range keyFiles {
		write(t, filepath.Join(keysDir, name), content)
	}
	locked, err := gate.New(gate.Options{ConfigDir: configDir, KeysDir: keysDir, SecretDir: secretDir, PodUID: podUID, AnswerTimeout: patience, Now: e.now})
	if err != nil {
		t.Fatal(err)
	}
	handler := locked.ClientHandler()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler.ServeHTTP(&dated{w, e.now}, r)
	}))
	t.Cleanup(server.Close)
	return server.URL + "/mcp"
}

// dated tells the time by the estate's clock.
type dated struct {
	http.ResponseWriter
	now func() time.Time
}

func (d *dated) WriteHeader(status int) {
	d.Header().Set("Date", d.now().UTC().Format(http.TimeFormat))
	d.ResponseWriter.WriteHeader(status)
}

func (d *dated) Unwrap() http.ResponseWriter { return d.ResponseWriter }

// TestEveryCase asks a gate with everything that can be asked, of every kind of server and with every kind of key, and
// again when the tokens of the first round have expired.
func TestEveryCase(t *testing.T) {
	for algorithm, options := range map[keys.Algorithm]mcpfake.Options{
		keys.EdDSA: {}, keys.ES256: {Answer: mcpfake.SSE}, keys.RS256: {Dialect: mcpfake.Discover}, keys.HS256: {Dialect: mcpfake.Stateless},
	} {
		t.Run(string(algorithm), func(t *testing.T) {
			t.Parallel()
			fullEstate, server := newEstate(t, algorithm, options)
			prober := runner.New(runner.Options{Now: fullEstate.now})
			var asked []probe.Case
			for round := range 2 {
				report, err := prober.Run(t.Context(), fullEstate.target)
				if err != nil {
					t.Fatal(err)
				}
				if verdict := verdicts.Of(report); verdict.Kind != probe.Locked {
					t.Fatalf("round %d, seed %d: %+v", round, report.Seed, verdict)
				}
				for _, result := range report.Results {
					if result.Outcome != probe.Passed {
						t.Errorf("%+v", result)
					}
					asked = append(asked, result.Case)
				}
				fullEstate.target.Replay = report.Replay
				fullEstate.advance(2 * time.Minute)
			}
			for _, name := range probe.Cases() {
				if !slices.Contains(asked, name) && !notHere(algorithm, options, name) {
					t.Errorf("%s was not asked", name)
				}
			}
			if open := server.Requests().Sessions; open != 0 {
				t.Errorf("%d sessions are left open", open)
			}
		})
	}
}

// notHere are the cases that make no sense: a shared secret has no name and nothing public, and without sessions there is
// nobody else's.
func notHere(algorithm keys.Algorithm, options mcpfake.Options, name probe.Case) bool {
	switch name {
	case probe.UnknownKid, probe.AlgConfused:
		return algorithm.Symmetric()
	case probe.OtherAlgorithm:
		return algorithm != keys.RS256 // the secret is too short for the others
	case probe.PlainHTTP:
		return true // without TLS
	case probe.ForeignSession:
		return options.Dialect == mcpfake.Discover || options.Dialect == mcpfake.Stateless
	default:
		return false
	}
}

// TestQuickCheckIsCheap counts what a quick check costs.
func TestQuickCheckIsCheap(t *testing.T) {
	for dialect, want := range map[mcpfake.Dialect]int64{mcpfake.Stateful: 2, mcpfake.Stateless: 1, mcpfake.Discover: 2} {
		fullEstate, server := newEstate(t, keys.EdDSA, mcpfake.Options{Dialect: dialect})
		fullEstate.target.Tier = probe.Quick
		report, err := runner.New(runner.Options{Now: fullEstate.now}).Run(t.Context(), fullEstate.target)
		if err != nil {
			t.Fatal(err)
		}
		var asked []string
		for _, result := range report.Results {
			asked = append(asked, fmt.Sprintf("%s %s", result.Case, result.Outcome))
		}
		if got := strings.Join(asked, ", "); got != "none Passed, malformed Passed, wrong-key Passed, valid Passed" {
			t.Errorf("%s: %s", dialect, got)
		}
		if got := server.Requests().WithoutAuthorization; got != want {
			t.Errorf("%s: the server saw %d requests, want %d", dialect, got, want)
		}
	}
}

func newKeyOf(t *testing.T, algorithm keys.Algorithm) keys.Private {
	t.Helper()
	key, err := keys.Generate(algorithm)
	if err != nil {
		t.Fatal(err)
	}
	return key
}
