package network

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/desired/gateconfig"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

// Conflict names what the routes of two servers both claim; empty if there is nothing, or if the second has to yield: of
// two routes gateways take the older one, and of two of the same age the first by namespace and name.
func Conflict(s, other *v1alpha1.MCPServer) string {
	if s.UID == other.UID || s.Spec.Route == nil || other.Spec.Route == nil || !isOlder(other, s) {
		return ""
	}
	gateway, shared := sharedGateway(s, other)
	if !shared {
		return ""
	}
	for _, host := range s.Spec.Route.Hostnames {
		if !slices.Contains(other.Spec.Route.Hostnames, host) {
			continue
		}
		theirs := claimed(other)
		for _, path := range claimed(s) {
			if slices.Contains(theirs, path) {
				return fmt.Sprintf("%s on hostname %s of gateway %s", path, host, gateway)
			}
		}
	}
	return ""
}

func isOlder(a, b *v1alpha1.MCPServer) bool {
	return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name)) < 0
}

// sharedGateway names a gateway of which both routes may attach to the same listener.
func sharedGateway(s, other *v1alpha1.MCPServer) (name string, shared bool) {
	for _, a := range s.Spec.Route.ParentRefs {
		for _, b := range other.Spec.Route.ParentRefs {
			inA, inB := cmp.Or(a.Namespace, s.Namespace), cmp.Or(b.Namespace, other.Namespace)
			listeners := a.SectionName == "" || b.SectionName == "" || a.SectionName == b.SectionName
			if a.Name == b.Name && inA == inB && listeners {
				return inA + "/" + a.Name, true
			}
		}
	}
	return "", false
}

// claimed are the paths of a server's route.
func claimed(s *v1alpha1.MCPServer) []string {
	gate := cmp.Or(s.Spec.Gate, &v1alpha1.Gate{})
	return served(gateapi.Upstream{
		Path: desired.Resolve(s).Path, ExtraPaths: gate.ExtraPaths, TrailingSlash: gate.TrailingSlash == v1alpha1.TrailingSlashSame,
	}, gateconfig.ResourceMetadata(*cmp.Or(s.Spec.Auth, &v1alpha1.Auth{})))
}
