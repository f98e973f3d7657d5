package desired_test

import (
	"slices"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired/inventory"
	"github.com/mcp-gatehouse/gatehouse/internal/desired/network"
)

// routed are the paths that the HTTPRoute of a server claims.
func routed(t *testing.T, path string) []string {
	t.Helper()
	s := read(t, "testdata/generic/in.yaml")
	s.Spec.Path = path
	s.Spec.Route = &v1alpha1.Route{ParentRefs: []v1alpha1.GatewayRef{{Name: "public"}}, Hostnames: []string{"tools.example.com"}}
	s.Spec.Auth = &v1alpha1.Auth{ResourceMetadata: &v1alpha1.ResourceMetadata{
		Resource: "https://tools.example.com" + path, AuthorizationServers: []string{"https://login.example.com"}}}
	objects, err := inventory.Of(s, inputs(t))
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, object := range objects {
		if route, found := object.(*network.HTTPRouteApplyConfiguration); found {
			for _, match := range route.Spec.Rules[0].Matches {
				paths = append(paths, match.Path.Value)
			}
		}
	}
	return paths
}

func TestRouteClaimsNoMetadataOfOtherServers(t *testing.T) {
	const root = "/.well-known/oauth-protected-resource"
	for path, want := range map[string][]string{
		"/alpha": {"/alpha", root + "/alpha"},
		"/beta":  {"/beta", root + "/beta"},
		"/":      {"/", root},
	} {
		if got := routed(t, path); !slices.Equal(got, want) {
			t.Errorf("path %s: the route claims %q, want %q", path, got, want)
		}
	}
}
