package providers

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gate"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/authn/revocation"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/authn/verify"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

const patience = 30 * time.Second

// site is a running gate with the configuration of a sample, before a server that says yes to everything. The gate reads from
// a file what it would fetch from the provider.
type site struct {
	url, host string
	verifier  *verify.Verifier
	audit     *lines
}

func newSite(t *testing.T, config gateapi.Config, set []byte) *site {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"jsonrpc":"2.0","id":1,"result":{"tools":[]}}`)
	}))
	t.Cleanup(server.Close)
	config.Upstream.Port = int32(server.Listener.Addr().(*net.TCPAddr).Port)
	root, audit := t.TempDir(), &lines{}
	options := gate.Options{
		ConfigDir: filepath.Join(root, "config"), KeysDir: filepath.Join(root, "keys"), SecretDir: filepath.Join(root, "secret"),
		ClientListener: listen(t), AdminListener: listen(t), Audit: audit,
	}
	loaded := map[string][]keys.Public{}
	write(t, options.KeysDir, gateapi.RevokedFile, nil) // the operator always publishes one
	for n := range config.Providers {
		p := &config.Providers[n]
		p.Keys = gateapi.KeySource{}
		write(t, options.KeysDir, gateapi.KeysFile(p.Name), set)
		public, err := keys.ParsePublic(set)
		must(t, err)
		loaded[p.Name] = public.Keys
	}
	text, err := json.Marshal(config)
	must(t, err)
	write(t, options.ConfigDir, gateapi.ConfigFile, text)
	write(t, options.SecretDir, gateapi.SecretFile, bytes.Repeat([]byte("gate"), 8))
	start(t, options)
	return &site{
		url: "http://" + options.ClientListener.Addr().String() + config.Upstream.Path, host: config.AllowedHosts[0], audit: audit,
		verifier: verify.New(config, "", loaded, revocation.List{}, time.Now),
	}
}

func start(t *testing.T, options gate.Options) {
	t.Helper()
	g, err := gate.New(options)
	must(t, err)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- g.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		must(t, <-done)
	})
	for deadline := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		response, err := http.Get("http://" + options.AdminListener.Addr().String() + "/readyz")
		if err == nil {
			response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("the gate does not become ready: %v", err)
		}
	}
}

// gateAnswer is what the gate makes of a token.
type gateAnswer struct {
	status         int
	reason, detail string
}

// ask lists the tools.
func (s *site) ask(t *testing.T, token string) gateAnswer {
	t.Helper()
	request := s.request(t)
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(request)
	must(t, err)
	response.Body.Close()
	got := gateAnswer{status: response.StatusCode, reason: response.Header.Get("Gatehouse-Reason")}
	switch {
	case got.status == http.StatusUnauthorized:
		// The audit leaves out what strangers do too often, so the verifier is asked.
		if _, denial := s.verifier.Verify(token); denial != nil && string(denial.Reason) == got.reason {
			got.detail = denial.Detail
		}
	case got.reason != "":
		got.detail = s.audit.detail(t, got.reason)
	}
	return got
}

// request lists the tools, without a token.
func (s *site) request(t *testing.T) *http.Request {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url, strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"tools/list"}`))
	must(t, err)
	request.Host = s.host
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json, text/event-stream")
	return request
}

// lines are those of an audit.
type lines struct {
	mu  sync.Mutex
	all []string
}

func (l *lines) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, string(line))
	return len(line), nil
}

// detail waits for the line of a refusal, and forgets it.
func (l *lines) detail(t *testing.T, reason string) string {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		l.mu.Lock()
		all := strings.Join(l.all, "")
		l.mu.Unlock()
		for line := range strings.Lines(all) {
			var record struct{ Reason, Detail string }
			must(t, json.Unmarshal([]byte(line), &record))
			if record.Reason != reason {
				continue
			}
			l.mu.Lock()
			l.all = nil
			l.mu.Unlock()
			return record.Detail
		}
	}
	t.Fatalf("no line of the audit has the reason %s", reason)
	return ""
}

func write(t *testing.T, dir, name string, data []byte) {
	t.Helper()
	must(t, os.MkdirAll(dir, 0o755))
	must(t, os.WriteFile(filepath.Join(dir, name), data, 0o600))
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	must(t, err)
	return listener
}
