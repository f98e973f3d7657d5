package attack

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gate"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

const (
	patience = time.Minute // for what must happen at some time; nothing but the answer's first byte is timed

	host                       = "weather.tools.svc"
	issuer, audience           = "https://issuer.example", "https://mcp.example/mcp"
	otherIssuer, otherAudience = "https://other.example", "urn:other"

	ping = `{"jsonrpc":"2.0","id":7,"method":"ping"}`
	// served is the only thing that the server says.
	served = `{"jsonrpc":"2.0","id":7,"result":{}}`
)

// site is a running gate, the server behind it, and the keys whose tokens it takes.
type site struct {
	address string
	admin   string // of the admin port
	server  *guardedServer
	issuers *issuers
	now     time.Time
	others  int // requests that reached the server and are no attack
	// What every challenge says.
	scope, metadata string
	// keysDir is where the gate's keys and its list of revocations are.
	keysDir string
}

// config is a gate with three providers: one as usual, one that must stay apart from it, and one of shared secrets
// whose tokens name no issuer.
func config(upstream net.Addr) gateapi.Config {
	return gateapi.Config{
		Server: gateapi.ServerID{Namespace: "tools", Name: "weather", UID: "1"},
		Port:   8080, AdminPort: 9090,
		Upstream:     gateapi.Upstream{Port: int32(upstream.(*net.TCPAddr).Port), Path: "/mcp"},
		AllowedHosts: []string{host},
		Providers: []gateapi.Provider{
			{
				Name: "main", Issuer: issuer, Audiences: []string{audience}, ClockSkewSeconds: 30, MaxTokenLifetimeSeconds: 86400,
				Algorithms: []keys.Algorithm{keys.EdDSA, keys.ES256, keys.RS256, keys.PS256},
			},
			{
				Name: "other", Issuer: otherIssuer, Audiences: []string{otherAudience}, ClockSkewSeconds: 30,
				Algorithms: []keys.Algorithm{keys.EdDSA},
			},
			{
				Name: "shared", Algorithms: []keys.Algorithm{keys.HS256}, IdentityClaims: []string{"id", "uuid"}, TokenTypes: []string{"JWT", ""},
				Keys: gateapi.KeySource{Format: gateapi.FormatSharedSecret, Files: []string{"shared.secret"}},
			},
		},
		Limits: gateapi.Limits{BodyBytes: 4 << 20, TokenBytes: 8 << 10},
		Drain:  gateapi.Drain{RequestSeconds: 1},
	}
}

// newSite starts a gate; change may make it another before.
func newSite(tb testing.TB, change func(*gateapi.Config)) *site {
	tb.Helper()
	return newSiteBefore(tb, newServer(tb), change)
}

// newSiteBefore starts a gate before a server. With config.TLS it shows a certificate of its own.
func newSiteBefore(tb testing.TB, server *guardedServer, change func(*gateapi.Config)) *site {
	tb.Helper()
	s := &site{server: server, issuers: newIssuers(), now: time.Now()}
	settings := config(s.server.address)
	if change != nil {
		change(&settings)
	}
	root := tb.TempDir()
	options := gate.Options{
		ConfigDir: filepath.Join(root, "config"), KeysDir: filepath.Join(root, "keys"), SecretDir: filepath.Join(root, "secret"), TLSDir: filepath.Join(root, "tls"),
		PodUID: "pod-1", ClientListener: listen(tb), AdminListener: listen(tb), PollInterval: 20 * time.Millisecond,
	}
	encoded, err := json.Marshal(settings)
	must(tb, err)
	write(tb, options.ConfigDir, gateapi.ConfigFile, encoded)
	write(tb, options.SecretDir, gateapi.SecretFile, []byte("0123456789abcdef0123456789abcdef"))
	write(tb, options.KeysDir, gateapi.KeysFile("main"), publicSet(tb, s.issuers.ed, s.issuers.ec, s.issuers.rs, s.issuers.ps))
	write(tb, options.KeysDir, gateapi.KeysFile("other"), publicSet(tb, s.issuers.other))
	write(tb, options.KeysDir, "shared.secret", sharedSecret)
	write(tb, options.KeysDir, gateapi.RevokedFile, []byte("jti:stolen\nsub:mallory\n"))
	if settings.TLS {
		writeCertificate(tb, options.TLSDir)
	}
	s.address, s.keysDir = options.ClientListener.Addr().String(), options.KeysDir
	s.admin = options.AdminListener.Addr().String()
	start(tb, options)
	return s
}

// start waits until the gate has tried itself.
func start(tb testing.TB, options gate.Options) {
	tb.Helper()
	g, err := gate.New(options)
	must(tb, err)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- g.Run(ctx) }()
	tb.Cleanup(func() {
		stop()
		must(tb, <-done)
	})
	ready := "http://" + options.AdminListener.Addr().String() + "/readyz"
	for deadline := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		response, err := http.Get(ready)
		if err == nil {
			response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return
			}
		}
		if time.Now().After(deadline) {
			tb.Fatalf("the gate does not become ready: %v", err)
		}
	}
}

// guardedServer is what the gate guards. It counts who came through, keeps the last request, and says always the same.
type guardedServer struct {
	address net.Addr
	visits  atomic.Int64
	last    atomic.Pointer[http.Request]
}

// sessionOfTheServer is the id that the server gives to every session.
const sessionOfTheServer = "session-of-the-server"

func newServer(tb testing.TB) *guardedServer {
	tb.Helper()
	s := &guardedServer{}
	listening := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		s.last.Store(r)
		s.visits.Add(1)
		if r.Header.Get("X-Initialize") != "" {
			w.Header().Set("Mcp-Session-Id", sessionOfTheServer)
		}
		w.Header().Set("Content-Type", "application/json")
		s.obey(w, r.Header)
		_, _ = io.WriteString(w, served)
	}))
	tb.Cleanup(listening.Close)
	s.address = listening.Listener.Addr()
	return s
}

// obey adds to the answer what a case wants: each X-Say is a header, in which SERVER is the server's own address, and each
// X-Trail likewise a trailer, announced or not; X-Status is the status.
func (s *guardedServer) obey(w http.ResponseWriter, wanted http.Header) {
	for _, line := range wanted["X-Say"] {
		name, value, _ := strings.Cut(strings.ReplaceAll(line, "SERVER", s.address.String()), ": ")
		w.Header()[name] = append(w.Header()[name], value)
	}
	for _, line := range wanted["X-Trail"] {
		name, value, _ := strings.Cut(line, ": ")
		w.Header()[http.TrailerPrefix+name] = []string{value}
	}
	if status, err := strconv.Atoi(wanted.Get("X-Status")); err == nil {
		w.WriteHeader(status)
	}
}

func write(tb testing.TB, dir, name string, data []byte) {
	tb.Helper()
	must(tb, os.MkdirAll(dir, 0o755))
	must(tb, os.WriteFile(filepath.Join(dir, name), data, 0o600))
}

func listen(tb testing.TB) net.Listener {
	tb.Helper()
	listener, err := new(net.ListenConfig).Listen(tb.Context(), "tcp", "127.0.0.1:0")
	must(tb, err)
	return listener
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}
