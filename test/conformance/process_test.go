//go:build conformance

package conformance

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// patience is how long a program may take to begin to serve, and to end.
const patience = 30 * time.Second

// start runs a program that serves until the test has ended. What it writes is in a log named after the test.
func start(t *testing.T, name string, environment []string, command ...string) {
	t.Helper()
	log, err := os.Create(logFile(t, name))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = log.Close() })
	// Not bound to t.Context, which ends before clean-ups run: what is asked of it there must find it alive.
	process := exec.Command(command[0], command[1:]...)
	process.Env = append(os.Environ(), environment...)
	process.Stdout, process.Stderr = log, log
	if err := process.Start(); err != nil {
		t.Fatalf("start %s: %v", name, err)
	}
	t.Cleanup(func() {
		_ = process.Process.Kill()
		_ = process.Wait()
	})
}

// run runs a program to its end and gives what it wrote, and its exit code.
func run(t *testing.T, limit time.Duration, environment []string, command ...string) (output string, code int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	process := exec.CommandContext(ctx, command[0], command[1:]...)
	// A home of its own: some programs keep things there.
	process.Env = append(append(os.Environ(), "HOME="+t.TempDir()), environment...)
	var written bytes.Buffer
	process.Stdout, process.Stderr = &written, &written
	err := process.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) || ctx.Err() != nil {
		t.Fatalf("%q did not end well within %s: %v\n%s", command, limit, err, written.String())
	}
	return written.String(), process.ProcessState.ExitCode()
}

// logFile names a log of this test.
func logFile(t *testing.T, name string) string {
	t.Helper()
	return filepath.Join(*logDir, strings.ReplaceAll(t.Name(), "/", "-")+"-"+name+".log")
}

// freePorts gives ports that nobody listened on a moment ago, all different.
func freePorts(t *testing.T, count int) []int32 {
	t.Helper()
	ports := make([]int32, count)
	for i := range ports {
		listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", ":0")
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close()
		ports[i] = int32(listener.Addr().(*net.TCPAddr).Port)
	}
	return ports
}

func loopback(port int32) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(int(port))) }

// eventually asks until the answer is yes.
func eventually(t *testing.T, what string, ask func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !ask(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %s: %s; its log is in %s", patience, what, *logDir)
		}
	}
}
