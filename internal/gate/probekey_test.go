package gate_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
	"github.com/mcp-gatehouse/gatehouse/internal/token"
)

const listTools = `{"jsonrpc":"2.0","id":7,"method":"tools/list"}`

// probed is a gate with a probe key, and the template of its tokens.
func probed(t *testing.T, upstream net.Addr, change func(*gateapi.Config)) (*site, token.Template) {
	t.Helper()
	key, err := keys.Generate(keys.EdDSA)
	must(t, err)
	s := prepareSite(t, upstream)
	s.config.ProbeKey = &gateapi.ProbeKey{
		ID: key.ID(), PublicKey: base64.RawURLEncoding.EncodeToString(key.Public().Key.(ed25519.PublicKey)),
		Providers: []string{"managed"},
	}
	if change != nil {
		change(&s.config)
	}
	s.writeConfig()
	s.start()
	probe := s.template
	probe.Key, probe.Subject, probe.Lifetime = key, gateapi.ProbeSubject, gateapi.ProbeTokenLifetime
	return s, probe.With(map[string]any{gateapi.ProbePodClaim: podUID})
}

func (s *site) list(template token.Template) answer {
	s.t.Helper()
	raw, err := template.Good(time.Now())
	must(s.t, err)
	return s.put(raw, callerRequest{http.MethodPost, "/mcp", listTools, nil})
}

// The server never learns what opens its gate for the prober, nor sees it as somebody.
func TestServerSeesNothingOfTheProbeKey(t *testing.T) {
	seen := make(chan http.Header, 1)
	s, probe := probed(t, serveHTTP(t, func(_ http.ResponseWriter, r *http.Request) { seen <- r.Header.Clone() }), func(c *gateapi.Config) {
		c.Upstream.ForwardAuthorization = true
		c.Upstream.ClaimHeaders = []gateapi.ClaimHeader{{Header: "X-User", Claim: "sub"}, {Header: "X-Pod", Claim: gateapi.ProbePodClaim}}
	})
	raw, err := probe.Good(time.Now())
	must(t, err)
	got := s.put(raw, callerRequest{http.MethodPost, "/mcp", listTools, []string{"X-User: admin"}})
	if got.status != 200 {
		t.Fatalf("got %d %s", got.status, got.body)
	}
	header := <-seen
	for name, values := range header {
		text := strings.Join(values, ",")
		if name == "Authorization" || name == "X-User" || strings.Contains(text, raw[strings.LastIndex(raw, "."):]) || strings.Contains(text, podUID) {
			t.Errorf("the server sees %s: %s", name, text)
		}
	}
	// A token of the issuer's own key is forwarded as configured, whatever its subject.
	s.template.Subject = gateapi.ProbeSubject
	if got := s.list(s.template); got.status != 200 {
		t.Fatalf("got %d %s", got.status, got.body)
	}
	if header := <-seen; header.Get("Authorization") == "" || header.Get("X-User") != gateapi.ProbeSubject {
		t.Errorf("the server sees %v", header)
	}
}

// What the probe key opens depends on the configuration in force alone, and on the provider's own keys.
func TestProbeKeyComesAndGoes(t *testing.T) {
	s, probe := probed(t, serveHTTP(t, echo), nil)
	key := *s.config.ProbeKey
	if got := s.list(probe); got.status != 200 {
		t.Fatalf("got %d %s", got.status, got.body)
	}
	state, err := s.state(podUID)
	must(t, err)
	if state.ProbeKey != key.ID || !state.Fence || len(state.Keys["managed"]) != 1 || state.Keys["managed"][0] == key.ID {
		t.Errorf("got %+v", state)
	}
	other := probe.With(map[string]any{gateapi.ProbePodClaim: "another-pod"})
	if got := s.list(other); got.status != 401 || got.Error.Data.Reason != "wrong_probe" {
		t.Errorf("bound to another pod: got %d %s", got.status, got.body)
	}
	held, err := probe.Good(time.Now()) // and remembered from here on
	must(t, err)
	s.put(held, callerRequest{http.MethodPost, "/mcp", listTools, nil})
	s.config.ProbeKey = nil
	s.writeConfig()
	s.eventually("the key is gone", func() bool {
		return s.put(held, callerRequest{http.MethodPost, "/mcp", listTools, nil}).Error.Data.Reason == "unsupported_algorithm"
	})
	if state, err = s.state(podUID); err != nil || state.ProbeKey != "" {
		t.Errorf("got %+v, %v", state, err)
	}
	s.config.ProbeKey = &key
	s.writeConfig()
	s.eventually("the key is back", func() bool { return s.list(probe).status == 200 })

	s.keysAreOfUser()
	must(t, os.Remove(filepath.Join(s.dirs.keys, gateapi.KeysFile("managed"))))
	s.eventually("the issuer's keys are gone", func() bool { return s.list(probe).status == http.StatusServiceUnavailable })
	if got := s.list(probe); got.Error.Data.Reason != "no_keys" {
		t.Errorf("got %s", got.body)
	}
	if got := s.adminGet("/readyz"); got.status != http.StatusServiceUnavailable {
		t.Errorf("ready with the probe key alone: %d %s", got.status, got.body)
	}
	if state, err = s.state(podUID); err != nil || len(state.Keys["managed"]) != 0 || len(state.KeysLoaded) != 0 {
		t.Errorf("got %+v, %v", state, err)
	}
}
