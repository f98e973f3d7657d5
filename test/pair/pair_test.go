// Package pair_test puts the prober before the gate and the gate before the fake server: each proves the others. What
// the prober calls a lock, the gate must be; what breaks behind the gate, the prober must not blame on it.
package pair_test

import (
	"encoding/json"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
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

// patience is the time limit of a case; nothing here is slow unless something hangs.
const patience = 10 * time.Second

// site is a gate before a server, and the template of tokens that it was made for.
type site struct {
	url      string
	template token.Template
	config   gateapi.Config
	// published are the keys that the gate is given.
	published []keys.Public
	// answerTimeout is how long the gate waits for the server.
	answerTimeout time.Duration
}

// newSite prepares a gate for the server at the address; change may then make it another.
func newSite(t *testing.T, upstream net.Addr, change func(*site)) *site {
	t.Helper()
	key := newKey(t)
	s := &site{
		template: token.Template{
			Key: key, Issuer: "urn:gatehouse:demo", Audience: "urn:gatehouse:demo", Subject: "someone", Lifetime: time.Minute,
		},
		config: gateapi.Config{
			Server: gateapi.ServerID{Namespace: "demo", Name: "server", UID: "1"},
			Port:   8080, AdminPort: 9090,
			Upstream: gateapi.Upstream{Port: portOf(upstream), Path: "/mcp"},
			Providers: []gateapi.Provider{{
				Name: "managed", Issuer: "urn:gatehouse:demo", Audiences: []string{"urn:gatehouse:demo"},
				Algorithms: []keys.Algorithm{keys.EdDSA, keys.ES256}, ClockSkewSeconds: 30,
			}},
			Limits: gateapi.Limits{BodyBytes: 1 << 20, TokenBytes: 8 << 10},
		},
		published:     []keys.Public{key.Public()},
		answerTimeout: patience,
	}
	if change != nil {
		change(s)
	}
	s.start(t)
	return s
}

func portOf(addr net.Addr) int32 { return int32(addr.(*net.TCPAddr).Port) }

func newKey(t *testing.T) keys.Private {
	t.Helper()
	key, err := keys.Generate(keys.EdDSA)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func (s *site) start(t *testing.T) {
	t.Helper()
	configDir, keysDir := t.TempDir(), t.TempDir()
	config, err := json.Marshal(s.config)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(configDir, gateapi.ConfigFile), config)
	if len(s.published) > 0 {
		set, err := keys.MarshalPublic(s.published)
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(keysDir, gateapi.KeysFile("managed")), set)
	}
	locked, err := gate.New(gate.Options{ConfigDir: configDir, KeysDir: keysDir, SecretDir: t.TempDir(), AnswerTimeout: s.answerTimeout})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(locked.ClientHandler())
	t.Cleanup(server.Close)
	s.url = server.URL + "/mcp"
}

func write(t *testing.T, file string, data []byte) {
	t.Helper()
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func fake(t *testing.T, options mcpfake.Options) (*mcpfake.Server, net.Addr) {
	t.Helper()
	server, err := mcpfake.New(options)
	if err != nil {
		t.Fatal(err)
	}
	listening := httptest.NewServer(server)
	t.Cleanup(listening.Close)
	return server, listening.Listener.Addr()
}

func (s *site) probe(t *testing.T, timeout time.Duration) (probe.Report, probe.Verdict) {
	t.Helper()
	report, err := runner.New(runner.Options{}).Run(t.Context(), probe.Target{
		URL: s.url, Providers: []probe.Provider{{Tokens: s.template}}, Exact: true, Timeout: timeout, ClockTolerance: 30 * time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	return report, verdicts.Of(report)
}

// TestLocked: before every kind of server the gate locks, also before those that would answer anybody or fall over a
// request without a token. Nothing but the control reaches them, and no session is left behind.
func TestLocked(t *testing.T) {
	forward := func(s *site) { s.config.Upstream.ForwardAuthorization = true }
	tests := map[string]struct {
		options mcpfake.Options
		change  func(*site)
		// requests is how many of the control's requests the server sees in a round.
		requests int64
	}{
		"stateful":                        {mcpfake.Options{}, nil, 9},
		"stateful, SSE":                   {mcpfake.Options{Answer: mcpfake.SSE}, nil, 9},
		"stateless":                       {mcpfake.Options{Dialect: mcpfake.Stateless}, nil, 7},
		"stateless, SSE":                  {mcpfake.Options{Dialect: mcpfake.Stateless, Answer: mcpfake.SSE}, nil, 7},
		"discover":                        {mcpfake.Options{Dialect: mcpfake.Discover}, nil, 7},
		"discover, SSE":                   {mcpfake.Options{Dialect: mcpfake.Discover, Answer: mcpfake.SSE}, nil, 7},
		"resets without a good token":     {mcpfake.Options{Faults: "reset-no-token,reset-malformed"}, forward, 9},
		"crashes without a token":         {mcpfake.Options{Faults: "crash-no-token", Exit: func(int) { t.Error("it crashed") }}, forward, 9},
		"takes any bearer":                {mcpfake.Options{Faults: "any-bearer"}, forward, 9},
		"signed with the older of 2 keys": {mcpfake.Options{}, func(s *site) { s.published = append(s.published, newKey(t).Public()) }, 9},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, addr := fake(t, test.options)
			tested := newSite(t, addr, test.change)
			report, verdict := tested.probe(t, patience)
			if verdict.Kind != probe.Locked {
				t.Errorf("%+v\n%+v", verdict, report.Results)
			}
			if report.Server == nil || report.Server.Name != "mcpfake" || report.Server.Tools != 3 {
				t.Errorf("server %+v", report.Server)
			}
			want := mcpfake.Requests{WithoutAuthorization: test.requests}
			if tested.config.Upstream.ForwardAuthorization {
				want = mcpfake.Requests{WithAuthorization: test.requests}
			}
			if got := server.Requests(); got != want {
				t.Errorf("the server saw %+v, want %+v", got, want)
			}
		})
	}
}

// TestServerInTrouble: the gate answers for its server, and the prober does not blame the gate.
func TestServerInTrouble(t *testing.T) {
	const hurry = time.Second
	tests := map[string]struct {
		faults  string
		change  func(*site)
		timeout time.Duration
		outcome probe.Outcome
		reason  string
	}{
		"resets":                     {"reset-no-token", nil, patience, probe.Unavailable, "upstream_reset"},
		"closes":                     {"eof", nil, patience, probe.Unavailable, "upstream_closed"},
		"speaks SSH":                 {"garbage", nil, patience, probe.Unavailable, "upstream_not_http"},
		"breaks off":                 {"half", nil, patience, probe.Truncated, ""},
		"says 503":                   {"status=503", nil, patience, probe.Unavailable, ""},
		"says 500":                   {"status=500", nil, patience, probe.WrongStatus, ""},
		"hangs, the gate gives up":   {"hang", func(s *site) { s.answerTimeout = hurry / 2 }, patience, probe.Unavailable, "upstream_timeout"},
		"hangs, the prober gives up": {"hang", nil, hurry, probe.Timeout, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, addr := fake(t, mcpfake.Options{Faults: test.faults})
			report, verdict := newSite(t, addr, test.change).probe(t, test.timeout)
			if verdict.Kind != probe.UpstreamUnavailable || verdict.Outcome != test.outcome {
				t.Errorf("%+v\n%+v", verdict, report.Results)
			}
			if got := report.Results[0].Reason; got != test.reason {
				t.Errorf("reason %q, want %q", got, test.reason)
			}
		})
	}
}

// TestServerGone: nothing listens behind the gate.
func TestServerGone(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = listener.Close()
	report, verdict := newSite(t, listener.Addr(), nil).probe(t, patience)
	if verdict.Kind != probe.UpstreamUnavailable || report.Results[0].Reason != "upstream_refused" {
		t.Errorf("%+v\n%+v", verdict, report.Results)
	}
}

// TestMistakenGate: a gate that was set up otherwise than the tokens. Refusing everybody is not a lock.
func TestMistakenGate(t *testing.T) {
	tests := map[string]struct {
		change func(*site)
		kind   probe.Kind
		reason string
	}{
		"other audience": {func(s *site) { s.config.Providers[0].Audiences = []string{"urn:other"} }, probe.ValidRejected, "wrong_audience"},
		"other issuer":   {func(s *site) { s.config.Providers[0].Issuer = "urn:other" }, probe.ValidRejected, "wrong_issuer"},
		"other key":      {func(s *site) { s.published = []keys.Public{newKey(t).Public()} }, probe.ValidRejected, "unknown_key"},
		"other algorithm": {func(s *site) {
			key, err := keys.Generate(keys.ES256)
			if err != nil {
				t.Fatal(err)
			}
			s.config.Providers[0].Algorithms = []keys.Algorithm{keys.ES256}
			s.published = append(s.published, key.Public())
		}, probe.ValidRejected, "unsupported_algorithm"},
		"no key":     {func(s *site) { s.published = nil }, probe.Inconclusive, "no_keys"},
		"no secret":  {func(s *site) { s.config.SessionBinding = gateapi.SessionBindingCaller }, probe.Inconclusive, "no_secret"},
		"other path": {func(s *site) { s.config.Upstream.Path = "/other" }, probe.Broken, "unknown_path"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, addr := fake(t, mcpfake.Options{})
			report, verdict := newSite(t, addr, test.change).probe(t, patience)
			if verdict.Kind != test.kind || report.Results[0].Reason != test.reason {
				t.Errorf("%+v, want %s for %s\n%+v", verdict, test.kind, test.reason, report.Results)
			}
		})
	}
}
