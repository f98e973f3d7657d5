package desired

import "github.com/mcp-gatehouse/gatehouse/api/v1alpha1"

// allowedHosts are the names by which clients call: those of the Service, of the route, and what the spec adds.
func allowedHosts(s *v1alpha1.MCPServer, in Inputs) []string {
	hosts := serviceHosts(s, in.ClusterDomain)
	if s.Spec.Route != nil {
		hosts = append(hosts, s.Spec.Route.Hostnames...)
	}
	if s.Spec.Gate != nil {
		hosts = append(hosts, s.Spec.Gate.AllowedHosts...)
	}
	return hosts
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
