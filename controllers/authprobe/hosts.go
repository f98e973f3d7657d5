package authprobe

import (
	"context"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
)

// hostsOf are the names by which clients call a server, as they come in Host: those of the Service, its own address, and what
// the spec adds. A gate takes each for its own.
func (r *Reconciler) hostsOf(ctx context.Context, server *v1alpha1.MCPServer) []string {
	port := desired.Resolve(server).GatePort
	suffix := ":" + strconv.Itoa(int(port))
	hosts := []string{
		server.Name + "." + server.Namespace + ".svc" + suffix, server.Name + "." + server.Namespace + ".svc",
		server.Name + "." + server.Namespace, server.Name + suffix,
	}
	var service corev1.Service
	if r.Get(ctx, client.ObjectKeyFromObject(server), &service) == nil && serviceAddress(service) != "" {
		hosts = append(hosts, serviceAddress(service))
	}
	if server.Spec.Gate != nil {
		hosts = append(hosts, server.Spec.Gate.AllowedHosts...)
	}
	if server.Spec.Route != nil {
		hosts = append(hosts, server.Spec.Route.Hostnames...)
	}
	hosts = slices.DeleteFunc(hosts, func(host string) bool { return strings.Contains(host, "*") || host != strings.ToLower(host) })
	slices.Sort(hosts)
	return slices.Compact(hosts)
}

// isProviderOf reports by the name of a control whether its provider is one of the spec.
func isProviderOf(server *v1alpha1.MCPServer) func(name string) bool {
	providers := desired.Resolve(server).Providers
	return func(name string) bool {
		return slices.ContainsFunc(providers, func(p desired.Provider) bool {
			return name == p.Name || strings.HasPrefix(name, p.Name+" (")
		})
	}
}
