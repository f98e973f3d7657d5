package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/cmd/gatehouse/cli"
	"github.com/mcp-gatehouse/gatehouse/cmd/gatehouse/cli/clitest"
)

// gatehouse runs the program.
func gatehouse(t *testing.T, args ...string) clitest.Result {
	t.Helper()
	return clitest.Execute(t, "", root(), args...)
}

// Without a cluster nothing is offered, and no file either; flags with few values offer those.
func TestCompletionWithoutCluster(t *testing.T) {
	t.Setenv("KUBECONFIG", clitest.File(t, "kubeconfig", ""))
	t.Setenv("HOME", t.TempDir())
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"status", ""}, ":4\n"},
		{[]string{"keys", "revoke", "a", ""}, ":4\n"},
		{[]string{"keys", "list", "a", ""}, ":4\n"},
		{[]string{"status", "-o", ""}, "table\njson\nyaml\n:4\n"},
		{[]string{"probe", "--tier", ""}, "full\nbeat\n:4\n"},
		{[]string{"probe", "-o", ""}, "table\njson\nyaml\njunit\n:6\n"},
		{[]string{"probe", ""}, ":4\n"},
	} {
		if got := gatehouse(t, append([]string{"__complete"}, c.args...)...); got.Code != cli.ExitOK || got.Stdout != c.want {
			t.Errorf("%v: %+v", c.args, got)
		}
	}
}

// kubectl asks kubectl_complete-gatehouse for what follows "kubectl gatehouse".
func TestArgumentsAsKubectlGivesThem(t *testing.T) {
	for path, want := range map[string]string{
		"/usr/bin/kubectl_complete-gatehouse": "__complete status a", "/usr/bin/kubectl-gatehouse": "status a", "gatehouse": "status a",
	} {
		if got := strings.Join(argumentsOf([]string{path, "status", "a"}), " "); got != want {
			t.Errorf("%s: %q", path, got)
		}
	}
}

// As kubectl's plugin it calls itself what people type.
func TestNameOfThePlugin(t *testing.T) {
	before := os.Args[0]
	t.Cleanup(func() { os.Args[0] = before })
	os.Args[0] = filepath.Join(t.TempDir(), "kubectl-gatehouse")
	if got := gatehouse(t, "token"); !strings.Contains(got.Stderr, "kubectl gatehouse token --help") {
		t.Errorf("%+v", got)
	}
}

func TestHelpAndVersion(t *testing.T) {
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{nil, cli.ExitOK, "Available Commands"},
		{[]string{"--version"}, cli.ExitOK, version},
		{[]string{"keys"}, cli.ExitOK, "list"},
		{[]string{"probe", "--help"}, cli.ExitOK, "Exit status:\n  0  Locked"},
		{[]string{"open"}, cli.ExitUsage, ""},
	} {
		if got := gatehouse(t, c.args...); got.Code != c.code || !strings.Contains(got.Stdout, c.says) {
			t.Errorf("%v: %+v", c.args, got)
		}
	}
}
