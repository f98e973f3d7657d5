package cli_test

import (
	"strings"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/cmd/gatehouse/cli"
	"github.com/mcp-gatehouse/gatehouse/cmd/gatehouse/cli/clitest"
)

func TestGetServerThatIsNotThere(t *testing.T) {
	_, err := cli.GetServer(t.Context(), clitest.Cluster(t), client.ObjectKey{Namespace: "demo", Name: "none"})
	if err == nil {
		t.Fatal("no error")
	}
	for _, text := range []string{"there is no MCPServer none in namespace demo", "gatehouse status --all-namespaces"} {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("%q does not say %q", err, text)
		}
	}
}
