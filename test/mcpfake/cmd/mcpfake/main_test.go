package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestMain lets the test program be mcpfake itself, so that exit codes and signals are the real ones.
func TestMain(m *testing.M) {
	if os.Getenv("MCPFAKE_TEST_AS_PROGRAM") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// program prepares a run of mcpfake with an environment of its own.
func program(t *testing.T, env []string, args ...string) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	command := exec.CommandContext(ctx, os.Args[0], args...)
	command.Env = append([]string{"MCPFAKE_TEST_AS_PROGRAM=1"}, env...)
	var stderr bytes.Buffer
	command.Stderr = &stderr
	return command, &stderr
}

func exitCode(t *testing.T, err error) int {
	t.Helper()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if exit == nil {
		return 0
	}
	return exit.ExitCode()
}

func TestExitCodes(t *testing.T) {
	for _, test := range []struct {
		env, args []string
		code      int
		says      string
	}{
		{nil, []string{"--help"}, 0, "MCPFAKE_FLAG_NAME"},
		{nil, []string{"--help"}, 0, "exit-without-env=NAME"},
		{nil, []string{"--fault=bla"}, 2, `unknown fault "bla"`},
		{[]string{"MCPFAKE_FAULT=bla"}, nil, 2, `unknown fault "bla"`},
		{nil, []string{"--bla"}, 2, "-bla"},
		{nil, []string{"bla"}, 2, `unexpected argument "bla"`},
		{nil, []string{"--on-term=bla"}, 2, `unknown --on-term "bla"`},
		{[]string{"MCPFAKE_STREAM_INTERVAL=often"}, nil, 2, "MCPFAKE_STREAM_INTERVAL"},
		{[]string{"MCPFAKE_DIALECT=welsh"}, nil, 2, `unknown dialect "welsh"`},
		{nil, []string{"--addr=127.0.0.1:x"}, 1, "listen"},
		{nil, []string{"--help"}, 0, "no-bearer"},
		{[]string{"MCPFAKE_FAULT=reset@nth=x"}, nil, 2, "1 or more"},
		{nil, []string{"--fault=exit-at-start=0"}, 0, "code 0"},
		{nil, []string{"--fault=exit-at-start=3"}, 3, "code 3"},
		{nil, []string{"--addr=127.0.0.1:0", "--fault=exit-after=1ms"}, 0, "listening"},
		{nil, []string{"--addr=127.0.0.1:0", "--fault=refuse@no-token,die-after=1ms"}, 1, "listening"},
		{[]string{"MCPFAKE_FAULT=exit-without-env=CATALOG_URL"}, nil, 1, "requires the environment variable CATALOG_URL"},
	} {
		command, stderr := program(t, test.env, test.args...)
		if code := exitCode(t, command.Run()); code != test.code || !strings.Contains(stderr.String(), test.says) {
			t.Errorf("%v %v: exit code %d, want %d; %q not in\n%s", test.env, test.args, code, test.code, test.says, stderr)
		}
	}
}

// TestLastWordsFitATerminationMessage: Kubernetes keeps the last 2048 bytes or 80 lines.
func TestLastWordsFitATerminationMessage(t *testing.T) {
	command, stderr := program(t, []string{"MCPFAKE_FAULT=exit-without-env=CATALOG_URL"})
	_ = command.Run()
	if stderr.Len() > 2048 || stderr.Len() == 0 {
		t.Errorf("%d bytes", stderr.Len())
	}
}

// TestTerm: on SIGTERM one program cuts a request in flight, the other lets it end; both exit with 0.
func TestTerm(t *testing.T) {
	for _, onTerm := range []string{"quit-at-once", "drain"} {
		t.Run(onTerm, func(t *testing.T) {
			t.Parallel()
			command, _ := program(t, []string{"MCPFAKE_ON_TERM=" + onTerm, "MCPFAKE_DIALECT=stateless", "MCPFAKE_ADDR=127.0.0.1:0"})
			command.Stderr = nil
			stderr, err := command.StderrPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := command.Start(); err != nil {
				t.Fatal(err)
			}
			addr := listening(t, stderr)
			answered := make(chan bool, 1)
			go func() { answered <- sleepOneSecond(addr) }()
			waitInFlight(t, addr)
			if err := command.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			if got := <-answered; got != (onTerm == "drain") {
				t.Errorf("the request in flight was answered: %v", got)
			}
			if code := exitCode(t, command.Wait()); code != 0 {
				t.Errorf("exit code %d", code)
			}
		})
	}
}

// listening waits for the line that names the address.
func listening(t *testing.T, stderr io.Reader) string {
	t.Helper()
	var line []byte
	for one := make([]byte, 1); ; line = append(line, one[0]) {
		if _, err := stderr.Read(one); err != nil {
			t.Fatalf("after %q: %v", line, err)
		}
		if one[0] == '\n' {
			break
		}
	}
	fields := strings.Fields(string(line))
	return fields[len(fields)-1]
}

func sleepOneSecond(addr string) bool {
	response, err := http.Post("http://"+addr+"/mcp", "application/json",
		strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"sleep","arguments":{"seconds":1}}}`))
	if err != nil {
		return false
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	return err == nil && strings.Contains(string(body), "slept 1 s")
}

// waitInFlight waits until a request has reached the MCP endpoint.
func waitInFlight(t *testing.T, addr string) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		response, err := http.Get("http://" + addr + "/_fake/requests")
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if strings.Contains(string(body), `"withoutAuthorization":1`) {
			return
		}
	}
	t.Fatal("no request arrived")
}
