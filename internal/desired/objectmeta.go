package desired

import (
	"encoding/json"
	"fmt"
	"maps"

	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
)

// MatchLabels finds the pods of a server. It is a Deployment's selector, which can never be changed.
func MatchLabels(s *v1alpha1.MCPServer) map[string]string {
	return map[string]string{v1alpha1.LabelServer: s.Name}
}

// Selector is the label selector of a server's pods in the form that the scale subresource wants.
func Selector(s *v1alpha1.MCPServer) string { return v1alpha1.LabelServer + "=" + s.Name }

// Labels of every object: those that the spec wants everywhere, and ours, which win.
func Labels(s *v1alpha1.MCPServer) map[string]string {
	return Merged(s.Spec.CommonLabels, ownLabels(s))
}

func ownLabels(s *v1alpha1.MCPServer) map[string]string {
	return map[string]string{
		v1alpha1.LabelServer:           s.Name,
		v1alpha1.LabelInstance:         string(s.UID),
		"app.kubernetes.io/name":       "mcpserver",
		"app.kubernetes.io/instance":   s.Name,
		"app.kubernetes.io/managed-by": "gatehouse",
	}
}

// PodLabels: those of the spec, and ours, which win.
func PodLabels(s *v1alpha1.MCPServer) map[string]string {
	return Merged(s.Spec.CommonLabels, Resolve(s).Pod.Labels, ownLabels(s))
}

// Annotations of an object: those that the spec wants everywhere, and its own, which win.
func Annotations(s *v1alpha1.MCPServer, own map[string]string) map[string]string {
	return Merged(s.Spec.CommonAnnotations, own)
}

// Merged has what is in any of the maps; the last wins.
func Merged(all ...map[string]string) map[string]string {
	out := map[string]string{}
	for _, one := range all {
		maps.Copy(out, one)
	}
	return out
}

// Owner makes the MCPServer the controller of an object: it goes when the MCPServer goes.
func Owner(s *v1alpha1.MCPServer) *metav1ac.OwnerReferenceApplyConfiguration {
	return metav1ac.OwnerReference().
		WithAPIVersion(v1alpha1.SchemeGroupVersion.String()).
		WithKind("MCPServer").
		WithName(s.Name).
		WithUID(s.UID).
		WithController(true).
		WithBlockOwnerDeletion(true)
}

// Convert carries a field of the API types over into an apply configuration: their JSON is the same.
func Convert(from, to any) error {
	data, err := json.Marshal(from)
	if err != nil {
		return fmt.Errorf("convert to apply configuration: %w", err)
	}
	if err := json.Unmarshal(data, to); err != nil {
		return fmt.Errorf("convert to apply configuration: %w", err)
	}
	return nil
}
