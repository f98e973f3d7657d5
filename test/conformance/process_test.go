//go:build conformance

package conformance

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

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
