//go:build conformance

package conformance

import (
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
	"github.com/mcp-gatehouse/gatehouse/internal/token"
	"github.com/mcp-gatehouse/gatehouse/test/pod"
)

// server is an MCP server that nobody here wrote. Its endpoint is /mcp.
type server struct {
	name string
	// command runs it on a port, with what the environment needs besides.
	command func(t *testing.T, port int32) (environment, command []string)
}

var (
	stateful  = server{"stateful", goServer("-stateless=false")}
	stateless = server{"stateless", goServer("-stateless=true")}
	// reference is the MCP reference server from npm. It listens on all interfaces, so it runs where there is only one.
	reference = server{"reference", func(t *testing.T, port int32) (environment, command []string) {
		t.Helper()
		return []string{fmt.Sprintf("PORT=%d", port)},
			[]string{node(t), inNode("node_modules/@modelcontextprotocol/server-everything/dist/index.js"), "streamableHttp"}
	}}
)

func goServer(mode string) func(*testing.T, int32) (environment, command []string) {
	return func(_ *testing.T, port int32) (environment, command []string) {
		return nil, []string{bin("everything-server"), "-http", pod.Loopback(port), mode}
	}
}

// site is where a client is sent: to a server itself, or to the gate before one.
type site struct {
	url    string
	tokens *token.Template // nil: no gate
	admin  string          // the gate's admin port
}

func (s server) start(t *testing.T, name string) (port int32) {
	t.Helper()
	port = pod.FreePorts(t, 1)[0]
	environment, command := s.command(t, port)
	log := logFile(t, name)
	pod.Start(t, log, environment, command...)
	pod.Eventually(t, s.name+" server listens; its log is "+log, func() bool {
		connection, err := net.Dial("tcp", pod.Loopback(port))
		if err != nil {
			return false
		}
		_ = connection.Close()
		return true
	})
	return port
}

// bare is the server itself.
func (s server) bare(t *testing.T) site {
	t.Helper()
	return site{url: "http://" + pod.Loopback(s.start(t, "bare")) + "/mcp"}
}

// gated is another one like it behind a gate.
func (s server) gated(t *testing.T) site {
	t.Helper()
	upstream := s.start(t, "gated")
	ports := pod.FreePorts(t, 2)
	key, err := keys.Generate(keys.EdDSA)
	if err != nil {
		t.Fatal(err)
	}
	gate := pod.NewGate(t, bin("authproxy"), logFile(t, "gate"), strict(ports[0], ports[1], upstream))
	gate.WriteKeys(t, "managed", key.Public())
	gate.Start(t, "--log-level", "debug")
	return site{
		url:   "http://" + pod.Loopback(ports[0]) + "/mcp",
		admin: gate.Admin(),
		tokens: &token.Template{
			Key: key, Issuer: issuerName, Audience: issuerName, Subject: "someone", Scope: "mcp more", Lifetime: time.Hour,
		},
	}
}

// issuerName is issuer and audience.
const issuerName = "urn:gatehouse:conformance"

// strict is a configuration under which the gate does all that it can do with a request it lets pass.
func strict(port, adminPort, upstream int32) gateapi.Config {
	all, scopes := []string{"*"}, []string{"mcp"}
	return gateapi.Config{
		Server: gateapi.ServerID{Namespace: "test", Name: "conformance", UID: "1"},
		Port:   port, AdminPort: adminPort,
		Upstream: gateapi.Upstream{
			Port: upstream, Path: "/mcp", ClaimHeaders: []gateapi.ClaimHeader{{Header: "X-Subject", Claim: "sub"}},
		},
		Providers: []gateapi.Provider{{
			Name: "managed", Issuer: issuerName, Audiences: []string{issuerName}, Algorithms: []keys.Algorithm{keys.EdDSA},
			MaxTokenLifetimeSeconds: 3600,
		}},
		Authorization: gateapi.Authorization{
			RequiredScopes: scopes, DefaultAction: gateapi.ActionDeny,
			Rules: []gateapi.Rule{{Methods: all, Scopes: scopes}, {Tools: all, Scopes: scopes}, {Prompts: all}, {Resources: all}},
		},
		SessionBinding: gateapi.SessionBindingCaller,
		Limits: gateapi.Limits{
			BodyBytes: 4 << 20, TokenBytes: 8 << 10, FailuresPerSecond: 10, FailureBurst: 20, Streams: 100, StreamMaxSeconds: 3600,
		},
	}
}

// goodToken is empty where there is no gate.
func (s site) goodToken(t *testing.T) string {
	t.Helper()
	if s.tokens == nil {
		return ""
	}
	raw, err := s.tokens.Good(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func (s site) expiredToken(t *testing.T) string {
	t.Helper()
	raw, err := s.tokens.Bad(token.Expired, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return raw
}
