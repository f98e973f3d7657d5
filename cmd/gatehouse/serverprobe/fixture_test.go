package serverprobe

import (
	"encoding/json"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/cmd/gatehouse/cli/clitest"
	"github.com/mcp-gatehouse/gatehouse/internal/gate"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
	"github.com/mcp-gatehouse/gatehouse/internal/token"
	"github.com/mcp-gatehouse/gatehouse/test/mcpfake"
)

// secret signs the tokens for a fake server that checks them itself.
const secret = "nineteen-otters-keep-88-quiet-lamps"

// issuer and audience are those of the gate.
const issuer = "urn:gatehouse:test"

// fake starts a fake MCP server and gives its URL.
func fake(t *testing.T, faults string) string {
	t.Helper()
	server, err := mcpfake.New(mcpfake.Options{Faults: faults})
	clitest.Must(t, err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	clitest.Must(t, err)
	go server.Serve(listener) //nolint:errcheck // It ends with the test.
	t.Cleanup(func() { _ = server.Close() })
	return "http://" + listener.Addr().String() + "/mcp"
}

// lockedGate starts the gate's handler before a fake server. It gives its URL and the file of the issuer's key.
func lockedGate(t *testing.T) (url, keyFile string) {
	t.Helper()
	key, err := keys.Generate(keys.EdDSA)
	clitest.Must(t, err)
	server, err := mcpfake.New(mcpfake.Options{})
	clitest.Must(t, err)
	upstream := httptest.NewServer(server)
	t.Cleanup(upstream.Close)
	config, err := json.Marshal(gateapi.Config{
		Server: gateapi.ServerID{Namespace: "demo", Name: "server", UID: "1"}, Port: 8080, AdminPort: 9090,
		Upstream: gateapi.Upstream{Port: int32(upstream.Listener.Addr().(*net.TCPAddr).Port), Path: "/mcp"},
		Providers: []gateapi.Provider{{
			Name: "managed", Issuer: issuer, Audiences: []string{issuer}, Algorithms: []keys.Algorithm{keys.EdDSA}, ClockSkewSeconds: 30,
		}},
		Limits: gateapi.Limits{BodyBytes: 1 << 20, TokenBytes: 8 << 10},
	})
	clitest.Must(t, err)
	published, err := keys.MarshalPublic([]keys.Public{key.Public()})
	clitest.Must(t, err)
	dir := t.TempDir()
	clitest.Must(t, os.WriteFile(filepath.Join(dir, gateapi.ConfigFile), config, 0o600))
	clitest.Must(t, os.WriteFile(filepath.Join(dir, gateapi.KeysFile("managed")), published, 0o600))
	locked, err := gate.New(gate.Options{ConfigDir: dir, KeysDir: dir, SecretDir: t.TempDir(), AnswerTimeout: 10 * time.Second})
	clitest.Must(t, err)
	listening := httptest.NewServer(locked.ClientHandler())
	t.Cleanup(listening.Close)
	private, err := keys.MarshalPrivate([]keys.Private{key})
	clitest.Must(t, err)
	return listening.URL + "/mcp", clitest.File(t, "key.json", string(private))
}

// goodToken mints what the gate of this key file lets in.
func goodToken(t *testing.T, keyFile string) string {
	t.Helper()
	data, err := os.ReadFile(keyFile)
	clitest.Must(t, err)
	set, err := keys.ParsePrivate(data)
	clitest.Must(t, err)
	raw, err := token.Template{Key: set[0], Issuer: issuer, Audience: issuer, Subject: "someone", Lifetime: time.Minute}.Good(time.Now())
	clitest.Must(t, err)
	return raw
}

// quiltGate starts the gate's handler as profile Quilt has it, with a shared secret for key. It gives its URL and the file of
// the secret.
func quiltGate(t *testing.T) (url, keyFile string) {
	t.Helper()
	server, err := mcpfake.New(mcpfake.Options{Dialect: mcpfake.Stateless})
	clitest.Must(t, err)
	upstream := httptest.NewServer(server)
	t.Cleanup(upstream.Close)
	config, err := json.Marshal(gateapi.Config{
		Server: gateapi.ServerID{Namespace: "demo", Name: "quilt", UID: "1"}, Port: 8080, AdminPort: 9090,
		Upstream: gateapi.Upstream{Port: int32(upstream.Listener.Addr().(*net.TCPAddr).Port), Path: "/mcp"},
		Providers: []gateapi.Provider{{
			Name: "catalog", Algorithms: []keys.Algorithm{keys.HS256}, TokenTypes: []string{"JWT", ""}, IdentityClaims: []string{"id"},
			Keys: gateapi.KeySource{Format: gateapi.FormatSharedSecret, Files: []string{"secret"}},
		}},
		SessionBinding: gateapi.SessionBindingStateless,
		Limits:         gateapi.Limits{BodyBytes: 1 << 20, TokenBytes: 8 << 10},
	})
	clitest.Must(t, err)
	dir := t.TempDir()
	clitest.Must(t, os.WriteFile(filepath.Join(dir, gateapi.ConfigFile), config, 0o600))
	clitest.Must(t, os.WriteFile(filepath.Join(dir, "secret"), []byte(secret), 0o600))
	clitest.Must(t, os.WriteFile(filepath.Join(dir, gateapi.SecretFile), []byte("0123456789abcdef0123456789abcdef"), 0o600))
	locked, err := gate.New(gate.Options{ConfigDir: dir, KeysDir: dir, SecretDir: dir, AnswerTimeout: 10 * time.Second})
	clitest.Must(t, err)
	listening := httptest.NewServer(locked.ClientHandler())
	t.Cleanup(listening.Close)
	return listening.URL + "/mcp", filepath.Join(dir, "secret")
}
