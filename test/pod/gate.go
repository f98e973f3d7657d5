package pod

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"slices"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

// UID is that of the pod, as the gate is told.
const UID = "6d9f5c0e-0000-4000-8000-000000000001"

// Gate is a gate with its mounted files.
type Gate struct {
	*Process

	Config gateapi.Config
	// Dir holds all that is mounted: configuration, keys, secret, certificate.
	Dir string
	// Environment is for the process, beside what this one has: "NAME=value".
	Environment []string

	program []string // with what it is run by
	log     string
}

// NewGate prepares a gate, with a configuration and a secret in a new folder, that is not started yet. What it writes
// will be appended to a log.
func NewGate(t *testing.T, program, log string, config gateapi.Config) *Gate {
	t.Helper()
	g := &Gate{Config: config, Dir: t.TempDir(), program: []string{program}, log: log}
	g.WriteConfig(t)
	g.WriteSecret(t, NewSecret())
	return g
}

// NewSecret makes a gate's secret.
func NewSecret() []byte {
	secret := make([]byte, 32)
	rand.Read(secret)
	return secret
}

// RunBy has the program run by a command, which must become it (exec): then the process is the gate's.
func (g *Gate) RunBy(command ...string) { g.program = append(command, g.program...) }

// WriteConfig mounts the configuration as it is now.
func (g *Gate) WriteConfig(t *testing.T) {
	t.Helper()
	Mount(t, g.Dir, gateapi.ConfigFile, g.ConfigText(t))
}

// ConfigText is the configuration as it is mounted.
func (g *Gate) ConfigText(t *testing.T) []byte {
	t.Helper()
	text, err := json.Marshal(g.Config)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// WriteKeys mounts the keys of a provider.
func (g *Gate) WriteKeys(t *testing.T, provider string, set ...keys.Public) {
	t.Helper()
	text, err := keys.MarshalPublic(set)
	if err != nil {
		t.Fatal(err)
	}
	Mount(t, g.Dir, gateapi.KeysFile(provider), text)
}

// WriteSecret mounts the gate's secret.
func (g *Gate) WriteSecret(t *testing.T, secret []byte) {
	t.Helper()
	Mount(t, g.Dir, gateapi.SecretFile, secret)
}

// Start runs the gate, with further flags, and waits until it is ready.
func (g *Gate) Start(t *testing.T, flags ...string) {
	t.Helper()
	g.Launch(t, flags...)
	Eventually(t, "the gate is ready; its log is "+g.log, func() bool { return g.answers("/readyz") })
}

// Launch runs the gate, with further flags, and waits until it lives: one that does not refuse what it must never
// becomes ready.
func (g *Gate) Launch(t *testing.T, flags ...string) {
	t.Helper()
	command := append(slices.Clone(g.program), "--config-dir", g.Dir, "--keys-dir", g.Dir, "--secret-dir", g.Dir, "--tls-dir", g.Dir)
	command = append(command, flags...)
	environment := append([]string{gateapi.PodUIDEnv + "=" + UID}, g.Environment...)
	g.Process = Start(t, g.log, environment, command...)
	Eventually(t, "the gate lives; its log is "+g.log, func() bool { return g.answers("/livez") })
}

// Admin is the URL of the admin port.
func (g *Gate) Admin() string { return "http://" + Loopback(g.Config.AdminPort) }

func (g *Gate) answers(path string) bool {
	response, err := http.Get(g.Admin() + path) //nolint:noctx // Its limit is that of the wait.
	if err != nil {
		return false
	}
	response.Body.Close()
	return response.StatusCode == http.StatusOK
}
