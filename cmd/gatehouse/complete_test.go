package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
)

func TestCompletions(t *testing.T) {
	c := cluster(t)
	must(t, c.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "demo"}}))
	var a v1alpha1.MCPServer
	must(t, c.Get(t.Context(), client.ObjectKey{Namespace: "demo", Name: "a"}, &a))
	a.Status.Keys = withKeys(refused(key("k1", v1alpha1.KeyRetired)), key("k2", v1alpha1.KeySigning)).Status.Keys
	must(t, c.Status().Update(t.Context(), &a))
	for name, words := range map[string]struct {
		complete completer
		args     []string
		want     []string
	}{
		"servers":        {serverNames, nil, []string{"a", "b"}},
		"a server first": {serverThenKey, nil, []string{"a", "b"}},
		"a key to revoke, not one that is refused": {serverThenKey, []string{"a"}, []string{"k2\tSigning"}},
		"a key of nobody":                          {serverThenKey, []string{"x"}, nil},
		"namespaces":                               {namespaceNames, nil, []string{"demo"}},
	} {
		if got := words.complete(t.Context(), c, "demo", words.args); !slices.Equal(got, words.want) {
			t.Errorf("%s: %q, want %q", name, got, words.want)
		}
	}
}

// Without a cluster nothing is offered, and no file either; flags with few values offer those.
func TestCompletionWithoutCluster(t *testing.T) {
	t.Setenv("KUBECONFIG", file(t, "kubeconfig", ""))
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
		if got := gatehouse(t, append([]string{"__complete"}, c.args...)...); got.code != exitOK || got.stdout != c.want {
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
	if got := gatehouse(t, "token"); !strings.Contains(got.stderr, "kubectl gatehouse token --help") {
		t.Errorf("%+v", got)
	}
}
