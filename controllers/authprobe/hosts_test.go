package authprobe

import (
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"

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
	r := &Reconciler{Client: oneService{service: corev1.Service{Spec: corev1.ServiceSpec{
		ClusterIP: "fd00::7", Ports: []corev1.ServicePort{{Name: desired.GatePortName, Port: 80}},
	}}}}
	want := []string{
		"[fd00::7]:80", "mcp.example", "weather.example", "weather.tools", "weather.tools.svc", "weather.tools.svc:8080", "weather:8080",
	}
	if got := r.hostsOf(t.Context(), server); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}
