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
	"runtime/debug"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
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
	config, err := json.Marshal(gateapi.Config{
		Server: gateapi.ServerID{Namespace: "ns", Name: "n", UID: "u"}, Port: port, AdminPort: adminPort,
		Upstream: gateapi.Upstream{Port: 1, Path: "/mcp"}, Limits: gateapi.Limits{BodyBytes: 1, TokenBytes: 1},
		Drain: gateapi.Drain{RequestSeconds: 20},
		Providers: []gateapi.Provider{{
			Name: "managed", Issuer: "i", Audiences: []string{"a"}, Algorithms: []keys.Algorithm{keys.EdDSA},
		}},
	})
	must(t, err)
	must(t, os.WriteFile(filepath.Join(dir, gateapi.ConfigFile), config, 0o600))
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
		"arguments":        {[]string{"terminate", "now"}, 2, "", `not "terminate"`},
		"bad level":        {[]string{"--log-level", "loud"}, 2, "", "loud"},
		"bad audit":        {[]string{"--audit", "file"}, 2, "", `not "file"`},
		"no configuration": {[]string{"--config-dir", t.TempDir()}, 1, "", gateapi.ConfigFile + " is not in"},
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

// startedGate runs the gate as a process and waits until it answers.
func startedGate(t *testing.T, args ...string) (command *exec.Cmd, client string, stdout, stderr *bytes.Buffer) {
	t.Helper()
	port, adminPort := freePorts(t)
	command, stdout, stderr = authproxyCommand(t, append(mounts(t, port, adminPort), args...)...)
	must(t, command.Start())
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if status, err := get(t, fmt.Sprintf("http://127.0.0.1:%d/livez", adminPort)); err == nil && status == http.StatusOK {
			return command, fmt.Sprintf("http://127.0.0.1:%d/mcp", port), stdout, stderr
		}
		if time.Now().After(deadline) {
			t.Fatal("the gate never came up")
		}
	}
}

func get(t *testing.T, url string) (status int, err error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	must(t, err)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err
	}
	response.Body.Close()
	return response.StatusCode, nil
}

func TestSIGTERM(t *testing.T) {
	command, _, _, stderr := startedGate(t)
	must(t, command.Process.Signal(syscall.SIGTERM))
	if err := command.Wait(); err != nil {
		t.Errorf("%v: %s", err, stderr)
	}
}

// The last lines are not lost at the end, and nothing but lines is on stdout.
func TestAuditGoesToStdout(t *testing.T) {
	for flag, want := range map[string]bool{"--audit=stdout": true, "--audit=off": false, "--log-level=info": true} {
		command, client, stdout, stderr := startedGate(t, flag)
		if status, err := get(t, client); status != http.StatusUnauthorized {
			t.Errorf("got %d, %v", status, err)
		}
		must(t, command.Process.Signal(syscall.SIGTERM))
		must(t, command.Wait())
		got := strings.Contains(stdout.String(), `"server":"ns/n","outcome":"denied","reason":"missing_token","detail":"","status":401,`)
		if got != want || !want && stdout.Len() > 0 || strings.Contains(stderr.String(), `"outcome":"denied"`) {
			t.Errorf("%s: stdout %q, stderr %q", flag, stdout, stderr)
		}
		for line := range strings.Lines(stdout.String()) {
			if !json.Valid([]byte(line)) {
				t.Errorf("%s: no JSON: %q", flag, line)
			}
		}
	}
}

func TestMemoryLimit(t *testing.T) {
	before := debug.SetMemoryLimit(-1)
	t.Cleanup(func() { debug.SetMemoryLimit(before) })
	cgroups := t.TempDir()
	must(t, os.WriteFile(filepath.Join(cgroups, "memory.max"), []byte("1000000000\n"), 0o600))
	t.Setenv("GOMEMLIMIT", "1GiB")
	if got := limitMemory(cgroups); got != 1_000_000_000 {
		t.Errorf("the container's limit: got %d", got)
	}
	if got := debug.SetMemoryLimit(-1); got != before {
		t.Errorf("whoever set GOMEMLIMIT gets %d", got)
	}
	t.Setenv("GOMEMLIMIT", "")
	limitMemory(cgroups)
	if got := debug.SetMemoryLimit(-1); got != 600_000_000 {
		t.Errorf("got %d of 1000000000 bytes", got)
	}
	if got := debug.SetGCPercent(100); got != gcPercent {
		t.Errorf("with a limit, the garbage collector runs at %d%%", got)
	}
	t.Setenv("GOGC", "100")
	limitMemory(cgroups)
	if got := debug.SetGCPercent(100); got != 100 {
		t.Errorf("whoever set GOGC gets %d", got)
	}
	if got := limitMemory(t.TempDir()); got != 600_000_000 {
		t.Errorf("without a container's limit that of the runtime counts: got %d", got)
	}
}
