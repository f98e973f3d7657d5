package desired_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/desired/inventory"
)

func TestSpecsThatNoClientOrObjectTakes(t *testing.T) {
	metadata := func(s *v1alpha1.MCPServer, resource string) {
		s.Spec.Auth = &v1alpha1.Auth{ResourceMetadata: &v1alpha1.ResourceMetadata{
			Resource: resource, AuthorizationServers: []string{"https://login.example.com"}}}
	}
	setRoute := func(s *v1alpha1.MCPServer, resource string) {
		metadata(s, resource)
		s.Spec.Route = &v1alpha1.Route{ParentRefs: []v1alpha1.GatewayRef{{Name: "public"}}, Hostnames: []string{"tools.example.com", "t.example.com"}}
	}
	for name, c := range map[string]struct {
		change func(*v1alpha1.MCPServer)
		want   string // empty: it is taken
	}{
		"a resource without the path": {func(s *v1alpha1.MCPServer) { metadata(s, "https://tools.example.com") },
			"spec.auth.resourceMetadata.resource is https://tools.example.com, and spec.path is /mcp"},
		"a host of the path's name":                 {func(s *v1alpha1.MCPServer) { metadata(s, "https://mcp") }, "and spec.path is /mcp"},
		"a resource behind a gateway that rewrites": {func(s *v1alpha1.MCPServer) { metadata(s, "https://tools.example.com/a/mcp") }, ""},
		"a slash more":                              {func(s *v1alpha1.MCPServer) { metadata(s, "https://tools.example.com/mcp/") }, "and spec.path is /mcp"},
		"a slash more, where that is the same": {func(s *v1alpha1.MCPServer) {
			metadata(s, "https://tools.example.com/mcp/")
			s.Spec.Gate = &v1alpha1.Gate{TrailingSlash: v1alpha1.TrailingSlashSame}
		}, ""},
		"a path with a slash at its end, where that is the same": {func(s *v1alpha1.MCPServer) {
			setRoute(s, "https://tools.example.com/mcp/")
			s.Spec.Path, s.Spec.Gate = "/mcp/", &v1alpha1.Gate{TrailingSlash: v1alpha1.TrailingSlashSame}
		}, ""},
		"a server at the root":                   {func(s *v1alpha1.MCPServer) { metadata(s, "https://tools.example.com"); s.Spec.Path = "/" }, ""},
		"of the route":                           {func(s *v1alpha1.MCPServer) { setRoute(s, "https://T.example.com:8443/mcp") }, ""},
		"a route to the root":                    {func(s *v1alpha1.MCPServer) { setRoute(s, "https://tools.example.com"); s.Spec.Path = "/" }, ""},
		"another path than the route's":          {func(s *v1alpha1.MCPServer) { setRoute(s, "https://tools.example.com/a/mcp") }, "so its path must be that"},
		"another host than the route's":          {func(s *v1alpha1.MCPServer) { setRoute(s, "https://other.example.com/mcp") }, "spec.route.hostnames are tools.example.com, t.example.com"},
		"labels and annotations that are good":   {func(s *v1alpha1.MCPServer) { s.Spec.CommonLabels = map[string]string{"example.com/owner": "tools"} }, ""},
		"a label with a space in its value":      {func(s *v1alpha1.MCPServer) { s.Spec.CommonLabels = map[string]string{"owner": "two words"} }, `spec.commonLabels["owner"]`},
		"a label with a space in its name":       {func(s *v1alpha1.MCPServer) { s.Spec.Pod = &v1alpha1.Pod{Labels: map[string]string{"two words": "x"}} }, `spec.pod.labels["two words"]`},
		"an annotation with a space in its name": {func(s *v1alpha1.MCPServer) { s.Spec.CommonAnnotations = map[string]string{"two words": "x"} }, `spec.commonAnnotations["two words"]`},
		"an annotation of the Service, with a bad name": {func(s *v1alpha1.MCPServer) {
			s.Spec.Service = &v1alpha1.Service{Annotations: map[string]string{"a/b/c": "x"}}
		}, `spec.service.annotations["a/b/c"]`},
		"an annotation with spaces in its value is fine": {func(s *v1alpha1.MCPServer) {
			s.Spec.CommonAnnotations = map[string]string{"example.com/a": "two words"}
		}, ""},
	} {
		s := read(t, "testdata/generic/in.yaml")
		c.change(s)
		_, err := inventory.Of(s, inputs(t))
		var invalid *desired.InvalidError
		if c.want == "" && err != nil || c.want != "" && (!errors.As(err, &invalid) || !strings.Contains(invalid.Problem, c.want)) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}
