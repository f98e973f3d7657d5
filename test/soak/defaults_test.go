//go:build soak

package soak

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/desired/gateconfig"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

// defaultMemory is the memory limit that the operator gives a gate by default, in bytes.
func defaultMemory(t *testing.T) int64 {
	t.Helper()
	limits := desired.Resolve(&v1alpha1.MCPServer{}).GateResources.Limits
	memory, set := limits[corev1.ResourceMemory]
	if !set || memory.Value() <= 0 {
		t.Fatalf("a gate has no memory limit by default: %v", limits)
	}
	return memory.Value()
}

// defaultConfig is the configuration that the operator writes for a gate by default.
func defaultConfig(t *testing.T) gateapi.Config {
	t.Helper()
	server := &v1alpha1.MCPServer{ObjectMeta: metav1.ObjectMeta{Namespace: "test", Name: "soak", UID: "1"}}
	inputs := desired.Inputs{ClusterDomain: "cluster.local", Keys: map[string][]keys.Private{}}
	for _, provider := range desired.Resolve(server).Providers {
		key, err := keys.Generate(keys.EdDSA)
		must(t, err)
		inputs.Keys[provider.Name] = []keys.Private{key}
	}
	files, err := gateconfig.ConfigMap(server, inputs)
	must(t, err)
	config, err := gateapi.ParseConfig([]byte(files.Data[gateapi.ConfigFile]))
	must(t, err)
	return config
}
