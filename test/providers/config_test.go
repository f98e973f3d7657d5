package providers

import (
	"os"
	"path/filepath"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/desired/gateconfig"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

// clusterIssuer is that of ServiceAccount tokens.
const clusterIssuer = "https://kubernetes.default.svc.cluster.local"

// configOf is the gate's configuration, as the operator makes it of a sample in the namespace tools.
func configOf(t *testing.T, sample string) gateapi.Config {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(samplesDir, sample+".yaml"))
	must(t, err)
	var server v1alpha1.MCPServer
	must(t, yaml.UnmarshalStrict(text, &server))
	server.Namespace, server.UID = "tools", "6d9f5c0e-0000-4000-8000-000000000001"
	key, err := keys.Generate(keys.EdDSA)
	must(t, err)
	object, err := gateconfig.ConfigMap(&server, desired.Inputs{
		Cluster: desired.Issuer{URL: clusterIssuer, Keys: []keys.Public{key.Public()}}, ClusterDomain: "cluster.local",
	})
	must(t, err)
	config, err := gateapi.ParseConfig([]byte(object.Data[gateapi.ConfigFile]))
	must(t, err)
	return config
}
