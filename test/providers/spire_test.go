//go:build providers

package providers

import (
	"flag"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/test/pod"
)

var spireDir = flag.String("spire", "", "directory with spire-server and oidc-discovery-provider")

type spire struct {
	world          *world
	socket, oldKey string
}

func TestSPIRE(t *testing.T) {
	w := theWorld(t)
	dir := t.TempDir()
	s := &spire{world: w, socket: filepath.Join(dir, "api.sock")}
	write(t, dir, "server.conf", fmt.Appendf(nil, `
server {
  bind_address = "127.0.0.1"
  bind_port = "8081"
  socket_path = %q
  trust_domain = "example.org"
  data_dir = %q
  jwt_issuer = "https://oidc.spire.example.com"
}
plugins {
  DataStore "sql" { plugin_data { database_type = "sqlite3", connection_string = %q } }
  KeyManager "memory" { plugin_data {} }
  NodeAttestor "join_token" { plugin_data {} }
}
`, s.socket, dir, filepath.Join(dir, "data.sqlite3")))
	write(t, dir, "oidc.conf", fmt.Appendf(nil, `
log_level = "info"
domains = ["oidc.spire.example.com"]
jwt_issuer = "https://oidc.spire.example.com"
serving_cert_file { cert_file_path = %q, key_file_path = %q, addr = "%s:443" }
server_api { address = "unix://%s", poll_interval = "2s" }
`, filepath.Join(*logs, "tls.crt"), filepath.Join(*logs, "tls.key"), spireIP, s.socket))
	log := filepath.Join(*logs, "spire.log")
	pod.Start(t, log, nil, filepath.Join(*spireDir, "spire-server"), "run", "-config", filepath.Join(dir, "server.conf"))
	pod.Eventually(t, "the SPIRE server is ready; its log is "+log, func() bool { return s.isHealthy(t) })
	pod.Start(t, log, nil, filepath.Join(*spireDir, "oidc-discovery-provider"), "-config", filepath.Join(dir, "oidc.conf"))
	time.Sleep(5 * time.Second) // It asks the server for keys.
	w.try(t, "spire", s)
}

// isHealthy asks the server.
func (s *spire) isHealthy(t *testing.T) bool {
	t.Helper()
	return exec.CommandContext(t.Context(), filepath.Join(*spireDir, "spire-server"), "healthcheck", "-socketPath", s.socket).Run() == nil
}

func (s *spire) mint(t *testing.T, audience string) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), filepath.Join(*spireDir, "spire-server"), "jwt", "mint", "-socketPath", s.socket,
		"-ttl", "10m", "-spiffeID", "spiffe://example.org/ns/agents/sa/planner", "-audience", audience)
	token, err := command.Output() // On stderr it says when a second was cut off the life.
	must(t, err)
	return strings.TrimSpace(string(token))
}

func (s *spire) access(t *testing.T) string { t.Helper(); return s.mint(t, serverURL) }

func (s *spire) other(t *testing.T) string { t.Helper(); return s.mint(t, otherServer) }

func (*spire) idToken(*testing.T) string { return "" }

var authorityID = regexp.MustCompile(`Authority ID: (\S+)`)

// authority runs a command about the keys of JWT-SVIDs, and gives the key that it names first.
func (s *spire) authority(t *testing.T, words ...string) string {
	t.Helper()
	command := append([]string{filepath.Join(*spireDir, "spire-server"), "localauthority", "jwt", words[0], "-socketPath", s.socket}, words[1:]...)
	found := authorityID.FindStringSubmatch(run(t, command...))
	if found == nil {
		t.Fatalf("%v names no key", words)
	}
	return found[1]
}

// rotate makes a key, has it published, and signs with it.
func (s *spire) rotate(t *testing.T) {
	t.Helper()
	s.oldKey = keyOf(t, s.access(t))
	next := s.authority(t, "prepare")
	time.Sleep(5 * time.Second) // The discovery provider asks the server for keys every two.
	s.authority(t, "activate", "-authorityID", next)
}

func (s *spire) retire(t *testing.T) {
	t.Helper()
	s.authority(t, "taint", "-authorityID", s.oldKey)
	s.authority(t, "revoke", "-authorityID", s.oldKey)
}
