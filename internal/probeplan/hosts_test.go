package probeplan

import (
	"slices"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
)

// TestHostsOf: a gate is called by the names of its Service, with the port as clients send it, by its address, and by what the
// spec adds; a name with a wildcard is none.
func TestHostsOf(t *testing.T) {
	server := &v1alpha1.MCPServer{}
	server.Name, server.Namespace = "weather", "tools"
	server.Spec.Gate = &v1alpha1.Gate{AllowedHosts: []string{"mcp.example"}}
	server.Spec.Route = &v1alpha1.Route{Hostnames: []string{"*.example", "weather.example"}}
	want := []string{
		"[fd00::7]:80", "mcp.example", "weather.example", "weather.tools", "weather.tools.svc", "weather.tools.svc:8080", "weather:8080",
	}
	if got := Hosts(server, "[fd00::7]:80"); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

func TestIsProviderOf(t *testing.T) {
	server := &v1alpha1.MCPServer{}
	name := desired.Resolve(server).Providers[0].Name
	of := IsProviderOf(server)
	for asked, want := range map[string]bool{name: true, name + " (ServiceAccount)": true, name + "x": false, "gone": false} {
		if of(asked) != want {
			t.Errorf("%s: %t", asked, !want)
		}
	}
}
