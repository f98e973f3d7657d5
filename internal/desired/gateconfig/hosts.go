package gateconfig

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

// allowedHosts are the names by which clients call: those of the Service, of the route, and what the spec adds.
func allowedHosts(s *v1alpha1.MCPServer, in desired.Inputs, metadata *gateapi.ResourceMetadata) ([]string, error) {
	hosts := serviceHosts(s, in.ClusterDomain)
	if s.Spec.Route != nil {
		hosts = append(hosts, s.Spec.Route.Hostnames...)
	}
	if s.Spec.Gate != nil {
		hosts = append(hosts, s.Spec.Gate.AllowedHosts...)
	}
	if metadata == nil {
		return hosts, nil
	}
	resource, err := url.Parse(metadata.Resource)
	if err != nil {
		return nil, &desired.InvalidError{Problem: fmt.Sprintf("spec.auth.resourceMetadata.resource: %q is no URL", metadata.Resource)}
	}
	if host := strings.ToLower(resource.Hostname()); !slices.Contains(hosts, host) {
		hosts = append(hosts, host)
	}
	return hosts, nil
}

// serviceHosts are the names that cluster DNS gives to the Service.
func serviceHosts(s *v1alpha1.MCPServer, domain string) []string {
	return []string{
		s.Name,
		s.Name + "." + s.Namespace,
		s.Name + "." + s.Namespace + ".svc",
		s.Name + "." + s.Namespace + ".svc." + domain,
	}
}
