package network

import (
	"slices"

	"k8s.io/apimachinery/pkg/runtime/schema"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

// HTTPRouteKind is that of the Gateway API's routes. A cluster need not have it.
var HTTPRouteKind = schema.GroupVersionKind{Group: "gateway.networking.k8s.io", Version: "v1", Kind: "HTTPRoute"}

// HTTPRouteApplyConfiguration has the fields of an HTTPRoute that are set here.
type HTTPRouteApplyConfiguration struct {
	metav1ac.TypeMetaApplyConfiguration    `json:",inline"`
	*metav1ac.ObjectMetaApplyConfiguration `json:"metadata"`
	Spec                                   HTTPRouteSpec `json:"spec"`
}

// IsApplyConfiguration implements runtime.ApplyConfiguration.
func (*HTTPRouteApplyConfiguration) IsApplyConfiguration() {}

// HTTPRouteSpec is that of an HTTPRoute.
type HTTPRouteSpec struct {
	ParentRefs []v1alpha1.GatewayRef `json:"parentRefs"`
	Hostnames  []string              `json:"hostnames"`
	Rules      []HTTPRouteRule       `json:"rules"`
}

// HTTPRouteRule sends requests on.
type HTTPRouteRule struct {
	Matches     []HTTPRouteMatch `json:"matches"`
	BackendRefs []HTTPBackendRef `json:"backendRefs"`
}

// HTTPRouteMatch selects requests by their path.
type HTTPRouteMatch struct {
	Path HTTPPathMatch `json:"path"`
}

// HTTPPathMatch compares a path.
type HTTPPathMatch struct {
	Type  string `json:"type"`
	Value string `json:"value"`
}

// HTTPBackendRef names a Service of the same namespace and its port.
type HTTPBackendRef struct {
	Name string `json:"name"`
	Port int32  `json:"port"`
}

// HTTPRoute leads from gateways to the Service: with the paths that the gate serves and no others, so that servers can
// share a hostname.
func HTTPRoute(s *v1alpha1.MCPServer, config gateapi.Config) *HTTPRouteApplyConfiguration {
	meta := metav1ac.ObjectMeta().
		WithName(s.Name).
		WithNamespace(s.Namespace).
		WithLabels(desired.Labels(s)).
		WithAnnotations(desired.Annotations(s, nil)).
		WithOwnerReferences(desired.Owner(s))
	version, kind := HTTPRouteKind.ToAPIVersionAndKind()
	rule := HTTPRouteRule{BackendRefs: []HTTPBackendRef{{Name: s.Name, Port: config.Port}}}
	for _, path := range served(config.Upstream, config.ResourceMetadata) {
		rule.Matches = append(rule.Matches, HTTPRouteMatch{Path: HTTPPathMatch{Type: "Exact", Value: path}})
	}
	return &HTTPRouteApplyConfiguration{
		TypeMetaApplyConfiguration:   *metav1ac.TypeMeta().WithAPIVersion(version).WithKind(kind),
		ObjectMetaApplyConfiguration: meta,
		Spec: HTTPRouteSpec{
			ParentRefs: s.Spec.Route.ParentRefs,
			Hostnames:  s.Spec.Route.Hostnames,
			Rules:      []HTTPRouteRule{rule},
		},
	}
}

// served are the paths that the gate answers on, and that are this server's alone.
func served(upstream gateapi.Upstream, metadata *gateapi.ResourceMetadata) []string {
	paths := []string{upstream.Path}
	if upstream.TrailingSlash {
		paths = append(paths, upstream.Path+"/")
	}
	paths = append(paths, upstream.ExtraPaths...)
	if metadata != nil {
		paths = append(paths, metadata.Paths(upstream)...)
	}
	// The metadata of the host as a whole belongs to whoever serves its root: other servers may share the hostname.
	return slices.DeleteFunc(paths, func(path string) bool { return path == gateapi.WellKnownPrefix && upstream.Path != "/" })
}
