package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/authproxy"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

const asGate = "GATEHOUSE_TEST_AS_GATE"

// TestMain lets the test binary be the gate, so that signals and exit codes are those of a process.
func TestMain(m *testing.M) {
	if os.Getenv(asGate) != "" {
		main()
	}
	os.Exit(m.Run())
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func authproxyCommand(t *testing.T, args ...string) (command *exec.Cmd, stdout, stderr *bytes.Buffer) {
	t.Helper()
	stdout, stderr = &bytes.Buffer{}, &bytes.Buffer{}
	command = exec.CommandContext(t.Context(), os.Args[0], args...)
	command.Env = append(os.Environ(), asGate+"=1")
	command.Stdout, command.Stderr = stdout, stderr
	return command, stdout, stderr
}

// mounts writes what the operator mounts, for these two ports.
func mounts(t *testing.T, port, adminPort int32) []string {
	t.Helper()
	dir := t.TempDir()
	config, err := json.Marshal(authproxy.Config{
		Server: authproxy.ServerID{Namespace: "ns", Name: "n", UID: "u"}, Port: port, AdminPort: adminPort,
		Upstream: authproxy.Upstream{Port: 1, Path: "/mcp"}, Limits: authproxy.Limits{BodyBytes: 1, TokenBytes: 1},
		Providers: []authproxy.Provider{{
			Name: "managed", Issuer: "i", Audiences: []string{"a"}, Algorithms: []keys.Algorithm{keys.EdDSA},
		}},
	})
	must(t, err)
	must(t, os.WriteFile(filepath.Join(dir, authproxy.ConfigFile), config, 0o600))
	return []string{"--config-dir", dir, "--keys-dir", dir, "--secret-dir", dir}
}

// freePorts gives ports that nobody listened on a moment ago.
func freePorts(t *testing.T) (a, b int32) {
	t.Helper()
	var ports [2]int32
	for i := range ports {
		listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", ":0")
		must(t, err)
		defer listener.Close()
		ports[i] = int32(listener.Addr().(*net.TCPAddr).Port)
	}
	return ports[0], ports[1]
}

func TestExitCodes(t *testing.T) {
	taken, err := new(net.ListenConfig).Listen(t.Context(), "tcp", ":0")
	must(t, err)
	defer taken.Close()
	free, _ := freePorts(t)
	for name, c := range map[string]struct {
		args           []string
		code           int
		stdout, stderr string
	}{
		"version":          {[]string{"--version"}, 0, version + "\n", ""},
		"help":             {[]string{"--help"}, 0, "", "-config-dir"},
		"unknown flag":     {[]string{"--open"}, 2, "", "-open"},
		"argument":         {[]string{"serve"}, 2, "", `not "serve"`},
		"bad level":        {[]string{"--log-level", "loud"}, 2, "", "loud"},
		"no configuration": {[]string{"--config-dir", t.TempDir()}, 1, "", authproxy.ConfigFile + " is not in"},
		"port taken":       {mounts(t, int32(taken.Addr().(*net.TCPAddr).Port), free), 78, "", "the port is already taken"},
		"admin port taken": {mounts(t, free, int32(taken.Addr().(*net.TCPAddr).Port)), 78, "", "the port is already taken"},
	} {
		command, stdout, stderr := authproxyCommand(t, c.args...)
		err := command.Run()
		if code := command.ProcessState.ExitCode(); code != c.code || stdout.String() != c.stdout || !strings.Contains(stderr.String(), c.stderr) {
			t.Errorf("%s: exit code %d (%v), stdout %q, stderr %q", name, code, err, stdout, stderr)
		}
	}
}

func TestSIGTERM(t *testing.T) {
	port, adminPort := freePorts(t)
	command, _, stderr := authproxyCommand(t, mounts(t, port, adminPort)...)
	must(t, command.Start())
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, fmt.Sprintf("http://127.0.0.1:%d/livez", adminPort), http.NoBody)
		must(t, err)
		if response, err := http.DefaultClient.Do(r); err == nil {
			response.Body.Close()
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the gate never came up")
		}
	}
	must(t, command.Process.Signal(syscall.SIGTERM))
	if err := command.Wait(); err != nil {
		t.Errorf("%v: %s", err, stderr)
	}
}
