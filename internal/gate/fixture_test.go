package gate_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gate"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
	"github.com/mcp-gatehouse/gatehouse/internal/token"
)

const (
	podUID   = "6d9f5c0e-0000-4000-8000-000000000001"
	patience = time.Minute // for what must happen at some time; nothing is timed
	ping     = `{"jsonrpc":"2.0","id":7,"method":"ping"}`
)

var testSecret = []byte("0123456789abcdef0123456789abcdef")

// site is a gate in front of a server, with the files of a pod.
type site struct {
	t        *testing.T
	gate     *gate.Gate
	clients  string // host:port
	admin    string
	template token.Template
	config   gateapi.Config
	dirs     struct{ config, keys, secret string }
	log      *logBuffer
	now      func() time.Time // the gate's clock; nil is time.Now
	stop     func()           // ends Run and waits for it
}

type siteOption func(*site, *gate.Options)

// newSite starts a gate with one provider in front of upstream and waits until it is ready to refuse.
func newSite(t *testing.T, upstream net.Addr, options ...siteOption) *site {
	t.Helper()
	s := prepareSite(t, upstream)
	s.start(options...)
	return s
}

func prepareSite(t *testing.T, upstream net.Addr) *site {
	t.Helper()
	s := &site{t: t, log: &logBuffer{}}
	root := t.TempDir()
	for name, dir := range map[string]*string{"config": &s.dirs.config, "keys": &s.dirs.keys, "secret": &s.dirs.secret} {
		*dir = filepath.Join(root, name)
		must(t, os.Mkdir(*dir, 0o755))
	}
	s.template = token.Template{
		Key: newKey(t), Issuer: "urn:gatehouse:test", Audience: "urn:gatehouse:test", Subject: "someone",
		Lifetime: 10 * time.Minute,
	}
	s.config = gateapi.Config{
		Server: gateapi.ServerID{Namespace: "tools", Name: "weather", UID: "1"},
		Port:   8080, AdminPort: 9090,
		Upstream:     gateapi.Upstream{Port: int32(upstream.(*net.TCPAddr).Port), Path: "/mcp"},
		AllowedHosts: []string{"weather.tools.svc"},
		Providers: []gateapi.Provider{{
			Name: "managed", Issuer: s.template.Issuer, Audiences: []string{s.template.Audience},
			Algorithms: []keys.Algorithm{keys.ES256}, ClockSkewSeconds: 30,
		}},
		Limits: gateapi.Limits{BodyBytes: 4 << 20, TokenBytes: 8 << 10},
		Drain:  gateapi.Drain{EndpointSeconds: 0, RequestSeconds: 5},
	}
	s.writeConfig()
	s.writeKeys(s.template.Key.Public())
	s.write(s.dirs.secret, gateapi.SecretFile, testSecret)
	return s
}

func (s *site) start(options ...siteOption) {
	s.t.Helper()
	s.startUnready(options...)
	s.eventually("the self-test has passed", func() bool { return strings.Contains(s.log.String(), `"verdict":"passed"`) })
}

func (s *site) startUnready(options ...siteOption) {
	s.t.Helper()
	clients, admin := listen(s.t), listen(s.t)
	s.clients, s.admin = clients.Addr().String(), admin.Addr().String()
	o := gate.Options{
		ConfigDir: s.dirs.config, KeysDir: s.dirs.keys, SecretDir: s.dirs.secret, PodUID: podUID, Version: "test",
		Log:            slog.New(slog.NewJSONHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		ClientListener: clients, AdminListener: admin, PollInterval: 20 * time.Millisecond,
	}
	for _, option := range options {
		option(s, &o)
	}
	var err error
	s.gate, err = gate.New(o)
	must(s.t, err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.gate.Run(ctx) }()
	s.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			s.t.Errorf("Run: %v", err)
		}
	})
	s.t.Cleanup(s.stop)
}

func (s *site) writeConfig() {
	s.t.Helper()
	data, err := json.Marshal(s.config)
	must(s.t, err)
	s.write(s.dirs.config, gateapi.ConfigFile, data)
}

func (s *site) writeKeys(set ...keys.Public) {
	s.t.Helper()
	data, err := keys.MarshalPublic(set)
	must(s.t, err)
	s.write(s.dirs.keys, gateapi.KeysFile("managed"), data)
}

// keysAreOfUser names the key file in the configuration, so that it is the user's, who may take it away.
func (s *site) keysAreOfUser() {
	s.t.Helper()
	s.config.Providers[0].Keys.Files = []string{gateapi.KeysFile("managed")}
	s.writeConfig()
}

// write replaces a file in one step.
func (s *site) write(dir, name string, data []byte) {
	s.t.Helper()
	aside := filepath.Join(dir, "."+name)
	must(s.t, os.WriteFile(aside, data, 0o600))
	must(s.t, os.Rename(aside, filepath.Join(dir, name)))
}

// token mints a good token.
func (s *site) token() string {
	s.t.Helper()
	raw, err := s.template.Good(time.Now())
	must(s.t, err)
	return raw
}

// request makes a request to the gate with this bearer token; empty leaves the header out.
func (s *site) request(method, path, bearer string, body io.Reader) *http.Request {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, "http://"+s.clients+path, body)
	must(s.t, err)
	r.Header.Set("Content-Type", "application/json")
	if bearer != "" {
		r.Header.Set("Authorization", "Bearer "+bearer)
	}
	return r
}

// answer is what a client got.
type answer struct {
	status int
	header http.Header
	body   string
	closes bool // the gate said that it closes the connection
	Error  struct {
		Code    int
		Message string
		Data    struct {
			Error, Reason string
			Status        int
		}
	}
	ID json.RawMessage
}

// do sends a request on a connection of its own and reads the whole answer.
func (s *site) do(r *http.Request) answer {
	s.t.Helper()
	got, err := s.try(r)
	must(s.t, err)
	return got
}

func (s *site) try(r *http.Request) (answer, error) {
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true, DisableCompression: true}}
	response, err := client.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	got := answer{status: response.StatusCode, header: response.Header, body: string(raw), closes: response.Close}
	_ = json.Unmarshal(raw, &got) // Not every answer is JSON.
	return got, err
}

// post is the usual request.
func (s *site) post(bearer string) answer {
	s.t.Helper()
	return s.do(s.request(http.MethodPost, "/mcp", bearer, strings.NewReader(ping)))
}

// adminGet asks the admin port.
func (s *site) adminGet(path string) answer {
	s.t.Helper()
	return s.do(s.adminRequest(path))
}

func (s *site) adminRequest(path string) *http.Request {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, "http://"+s.admin+path, http.NoBody)
	must(s.t, err)
	return r
}

func (s *site) eventually(what string, holds func() bool) {
	s.t.Helper()
	eventually(s.t, what, holds)
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it never came true that %s", what)
		}
	}
}

func newKey(t *testing.T) keys.Private {
	t.Helper()
	key, err := keys.Generate(keys.ES256)
	must(t, err)
	return key
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { listener.Close() })
	return listener
}

// serveHTTP runs an MCP server of one handler.
func serveHTTP(t *testing.T, handler http.HandlerFunc) net.Addr {
	t.Helper()
	listener := listen(t)
	server := &http.Server{Handler: handler, ReadHeaderTimeout: patience, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, 0)}
	go server.Serve(listener) //nolint:errcheck // Ends with the test.
	t.Cleanup(func() { server.Close() })
	return listener.Addr()
}

// serveRaw runs a server that does with each connection as it likes; it is closed afterwards.
func serveRaw(t *testing.T, handle func(*net.TCPConn)) net.Addr {
	t.Helper()
	listener := listen(t)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				handle(conn.(*net.TCPConn))
			}()
		}
	}()
	return listener.Addr()
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// logBuffer may be written by the gate while the test reads it.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
