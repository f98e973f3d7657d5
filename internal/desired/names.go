package desired

import (
	"fmt"
	"maps"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
)

// Names of the objects that belong to an MCPServer. Service, Deployment, ServiceAccount, NetworkPolicy,
// PodDisruptionBudget and HTTPRoute have the MCPServer's own name.

// KeysSecretName is the Secret with the private keys of Managed providers: one JWK Set per provider. Whoever reads it
// can mint tokens.
func KeysSecretName(s *v1alpha1.MCPServer) string { return s.Name + "-keys" }

// GateSecretName is the Secret that the gate and the operator share.
func GateSecretName(s *v1alpha1.MCPServer) string { return s.Name + "-gate" }

// GateConfigName is the ConfigMap with the configuration of the gate.
func GateConfigName(s *v1alpha1.MCPServer) string { return s.Name + "-authproxy" }

// PublicKeysName is the ConfigMap with the public keys, and the list of what is revoked.
func PublicKeysName(s *v1alpha1.MCPServer) string { return s.Name + "-jwks" }

const (
	// GateContainer is the container of the gate.
	GateContainer = "authproxy"
	// ServerContainer is the container of the MCP server.
	ServerContainer = "mcp"

	// GatePortName is the port for MCP clients, on the pod and on the Service.
	GatePortName = "mcp-gate"
	// AdminPortName is the port for the kubelet, the operator and metrics, on the pod.
	AdminPortName = "gate-admin"

	configVolume = "gatehouse-config"
	keysVolume   = "gatehouse-keys"
	secretVolume = "gatehouse-secret"
	tlsVolume    = "gatehouse-tls"
	runVolume    = "gatehouse-run"

	// gateUID is neither root nor 65532, which many images run as: a server must not share the gate's identity.
	gateUID int64 = 65533
)

// ManagedIssuer is the issuer and the audience of a Managed provider's tokens. It holds the UID, so a token of a
// deleted namesake is worthless, and nothing that can change, so a token survives every edit.
func ManagedIssuer(s *v1alpha1.MCPServer) string {
	return fmt.Sprintf("urn:gatehouse:%s:%s:%s", s.Namespace, s.Name, s.UID)
}

// URL is where clients reach the gate: from outside, once a gateway has accepted the route; else inside the cluster.
func URL(s *v1alpha1.MCPServer, routeAccepted bool) string {
	settings := Resolve(s)
	if routeAccepted && s.Spec.Route != nil {
		return "https://" + s.Spec.Route.Hostnames[0] + settings.Path
	}
	scheme := "http"
	if settings.TLSSecret != "" {
		scheme = "https"
	}
	return fmt.Sprintf("%s://%s.%s.svc:%d%s", scheme, s.Name, s.Namespace, settings.GatePort, settings.Path)
}

// selector finds the pods of a server. It is a Deployment's selector, which can never be changed.
func selector(s *v1alpha1.MCPServer) map[string]string {
	return map[string]string{v1alpha1.LabelServer: s.Name}
}

// Selector is the label selector of a server's pods in the form that the scale subresource wants.
func Selector(s *v1alpha1.MCPServer) string { return v1alpha1.LabelServer + "=" + s.Name }

func labels(s *v1alpha1.MCPServer) map[string]string {
	return map[string]string{
		v1alpha1.LabelServer:           s.Name,
		"app.kubernetes.io/name":       "mcpserver",
		"app.kubernetes.io/instance":   s.Name,
		"app.kubernetes.io/managed-by": "gatehouse",
	}
}

// podLabels: those of the spec, and ours, which win.
func podLabels(s *v1alpha1.MCPServer) map[string]string {
	all := map[string]string{}
	maps.Copy(all, Resolve(s).Pod.Labels)
	maps.Copy(all, labels(s))
	all[v1alpha1.LabelInstance] = string(s.UID)
	return all
}
