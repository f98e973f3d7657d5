// Package clitest is what the tests of the subcommands of gatehouse share: a run of a command, and clusters to run it
// against. Only tests import it.
package clitest

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/mcp-gatehouse/gatehouse/cmd/gatehouse/cli"
)

// Result is what came of a command.
type Result struct {
	Code           int
	Stdout, Stderr string
}

// Run executes a subcommand as a part of gatehouse. The arguments begin with its name.
func Run(t *testing.T, subcommand *cobra.Command, args ...string) Result {
	t.Helper()
	return RunWithInput(t, "", subcommand, args...)
}

// RunWithInput executes a subcommand that may read a text from standard input.
func RunWithInput(t *testing.T, stdin string, subcommand *cobra.Command, args ...string) Result {
	t.Helper()
	root := &cobra.Command{Use: "gatehouse"}
	root.AddCommand(subcommand)
	return Execute(t, stdin, root, args...)
}

// Execute executes a root command as the program does.
func Execute(t *testing.T, stdin string, root *cobra.Command, args ...string) Result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := cli.Run(t.Context(), root, args, strings.NewReader(stdin), &stdout, &stderr)
	return Result{code, stdout.String(), stderr.String()}
}

// File writes a file of the test and returns its path.
func File(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	Must(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}
