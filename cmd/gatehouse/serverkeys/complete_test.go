package serverkeys

import (
	"slices"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/cmd/gatehouse/cli/clitest"
)

func TestServerThenKey(t *testing.T) {
	c := clitest.Cluster(t)
	var a v1alpha1.MCPServer
	clitest.Must(t, c.Get(t.Context(), client.ObjectKey{Namespace: "demo", Name: "a"}, &a))
	a.Status.Keys = withKeys(refused(keyWithPhase("k1", v1alpha1.KeyRetired)), keyWithPhase("k2", v1alpha1.KeySigning)).Status.Keys
	clitest.Must(t, c.Status().Update(t.Context(), &a))
	for name, words := range map[string]struct {
		args []string
		want []string
	}{
		"a server first": {nil, []string{"a", "b"}},
		"a key to revoke, not one that is refused": {[]string{"a"}, []string{"k2\tSigning"}},
		"a key of nobody":                          {[]string{"x"}, nil},
	} {
		if got := serverThenKey(t.Context(), c, "demo", words.args); !slices.Equal(got, words.want) {
			t.Errorf("%s: %q, want %q", name, got, words.want)
		}
	}
}
