package gateconfig

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
)

// unlikeResource says that clients would refuse the metadata of RFC 9728, because its resource is not the URL that they call;
// empty if it is. Without a route, a gateway of others may rewrite paths, and put something in front.
func unlikeResource(s *v1alpha1.MCPServer, trailingSlash bool) string {
	if s.Spec.Auth == nil || s.Spec.Auth.ResourceMetadata == nil {
		return ""
	}
	const field, why = "spec.auth.resourceMetadata.resource", "clients refuse metadata of another resource than the URL that they call"
	resource, err := url.Parse(s.Spec.Auth.ResourceMetadata.Resource)
	if err != nil {
		return "" // told elsewhere
	}
	path, wanted := resource.EscapedPath(), desired.Resolve(s).Path
	same := func(path string) string {
		if trailingSlash || path == "/" {
			return strings.TrimSuffix(path, "/")
		}
		return path
	}
	if s.Spec.Route == nil {
		if strings.HasSuffix(same(path), same(wanted)) {
			return ""
		}
		return fmt.Sprintf("%s is %s, and spec.path is %s: %s, so its path must end with that", field, resource, wanted, why)
	}
	if same(path) != same(wanted) {
		return fmt.Sprintf("%s is %s, and spec.path is %s: %s, so its path must be that", field, resource, wanted, why)
	}
	if host := strings.ToLower(resource.Hostname()); !slices.Contains(s.Spec.Route.Hostnames, host) {
		return fmt.Sprintf("%s is %s, and spec.route.hostnames are %s: %s, so its host must be one of these",
			field, resource, strings.Join(s.Spec.Route.Hostnames, ", "), why)
	}
	return ""
}
