package desired_test

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired/network"
)

func TestRouteConflict(t *testing.T) {
	older := func() *v1alpha1.MCPServer {
		s := &v1alpha1.MCPServer{}
		s.Name, s.Namespace, s.UID = "alpha", "tools", "1"
		s.CreationTimestamp = metav1.NewTime(time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC))
		s.Spec.Route = &v1alpha1.Route{ParentRefs: []v1alpha1.GatewayRef{{Name: "public", Namespace: "gateways"}}, Hostnames: []string{"tools.example.com"}}
		return s
	}
	const conflict = "/mcp on hostname tools.example.com of gateway gateways/public"
	for name, c := range map[string]struct {
		change func(*v1alpha1.MCPServer)
		want   string
	}{
		"the same path and hostname": {func(*v1alpha1.MCPServer) {}, conflict},
		"of another namespace":       {func(s *v1alpha1.MCPServer) { s.Namespace = "others" }, conflict},
		"as old, and behind by name": {func(s *v1alpha1.MCPServer) { s.CreationTimestamp = older().CreationTimestamp }, conflict},
		"the older one": {func(s *v1alpha1.MCPServer) {
			s.CreationTimestamp = metav1.NewTime(older().CreationTimestamp.Add(-time.Hour))
		}, ""},
		"another path": {func(s *v1alpha1.MCPServer) { s.Spec.Path = "/beta" }, ""},
		"an extra path": {func(s *v1alpha1.MCPServer) {
			s.Spec.Path, s.Spec.Gate = "/beta", &v1alpha1.Gate{ExtraPaths: []string{"/mcp"}}
		}, conflict},
		"another hostname": {func(s *v1alpha1.MCPServer) { s.Spec.Route.Hostnames = []string{"beta.example.com"} }, ""},
		"another gateway":  {func(s *v1alpha1.MCPServer) { s.Spec.Route.ParentRefs[0].Namespace = "" }, ""},
		"no route":         {func(s *v1alpha1.MCPServer) { s.Spec.Route = nil }, ""},
		"the same server":  {func(s *v1alpha1.MCPServer) { s.UID = "1" }, ""},
		"metadata of their own paths": {func(s *v1alpha1.MCPServer) {
			s.Spec.Path = "/beta"
			s.Spec.Auth = &v1alpha1.Auth{ResourceMetadata: &v1alpha1.ResourceMetadata{Resource: "https://tools.example.com/beta"}}
		}, ""},
	} {
		s := older()
		s.Name, s.UID, s.CreationTimestamp = "beta", "2", metav1.NewTime(s.CreationTimestamp.Add(time.Hour))
		c.change(s)
		if got := network.Conflict(s, older()); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}
