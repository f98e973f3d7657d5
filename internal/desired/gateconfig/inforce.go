package gateconfig

import (
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
)

// gateSpec is what of a spec a gate is told, and what its lock is tried with. Nothing of it is a secret: it is kept where more
// people may read than may read an MCPServer, whose env can hold anything.
type gateSpec struct {
	Profile    v1alpha1.Profile    `json:"profile,omitempty"`
	Quilt      *v1alpha1.Quilt     `json:"quilt,omitempty"`
	Port       *int32              `json:"port,omitempty"`
	Path       string              `json:"path,omitempty"`
	HealthPath string              `json:"healthPath,omitempty"`
	Gate       *v1alpha1.Gate      `json:"gate,omitempty"`
	Auth       *v1alpha1.Auth      `json:"auth,omitempty"`
	AuthProbe  *v1alpha1.AuthProbe `json:"authProbe,omitempty"`
	Route      *v1alpha1.Route     `json:"route,omitempty"`
}

func gateSpecOf(s v1alpha1.MCPServerSpec) gateSpec {
	return gateSpec{
		Profile: s.Profile, Quilt: s.Quilt, Port: s.Port, Path: s.Path, HealthPath: s.HealthPath,
		Gate: s.Gate, Auth: s.Auth, AuthProbe: s.AuthProbe, Route: s.Route,
	}
}

// putInto replaces that part of a spec.
func (g gateSpec) putInto(s *v1alpha1.MCPServerSpec) {
	s.Profile, s.Quilt, s.Port, s.Path, s.HealthPath = g.Profile, g.Quilt, g.Port, g.Path, g.HealthPath
	s.Gate, s.Auth, s.AuthProbe, s.Route = g.Gate, g.Auth, g.AuthProbe, g.Route
}

// encode gives it for AnnotationSpec: as JSON, or its digest where that is too long for an annotation.
func (g gateSpec) encode() (string, error) {
	data, err := json.Marshal(g)
	if err != nil {
		return "", fmt.Errorf("encode the spec: %w", err)
	}
	if len(data) > MaxRecord {
		return Digest(g)
	}
	return string(data), nil
}

// CarriesOut tells whether a ConfigMap of gates was made from the spec as it is now. It was not while a changed spec was
// not looked at yet, and where the change cannot be carried out.
func CarriesOut(s *v1alpha1.MCPServer, config corev1.ConfigMap) bool {
	spec, err := gateSpecOf(s.Spec).encode()
	return err == nil && config.Annotations[v1alpha1.AnnotationSpec] == spec
}

// InForce is the server with what a ConfigMap of gates carries out in place of that part of its spec; false where the
// ConfigMap does not tell, as those of older releases do not.
func InForce(s *v1alpha1.MCPServer, config corev1.ConfigMap) (*v1alpha1.MCPServer, bool) {
	if CarriesOut(s, config) {
		return s, true
	}
	var spec gateSpec
	if err := json.Unmarshal([]byte(config.Annotations[v1alpha1.AnnotationSpec]), &spec); err != nil {
		return s, false
	}
	out := s.DeepCopy()
	spec.putInto(&out.Spec)
	return out, true
}
