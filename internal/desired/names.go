package desired

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
)

// Names of the objects that belong to an MCPServer. Service, Deployment, ServiceAccount, NetworkPolicy,
// PodDisruptionBudget and HTTPRoute have the MCPServer's own name. Secrets and ConfigMaps have theirs until they get another
// one; see Rename.

// KeysSecretName is the Secret with the private keys of Managed providers: one JWK Set per provider. Whoever reads it
// can mint tokens.
func KeysSecretName(s *v1alpha1.MCPServer) string { return nameNow(s, s.Name+"-keys") }

// GateSecretName is the Secret that the gate and the operator share.
func GateSecretName(s *v1alpha1.MCPServer) string { return nameNow(s, s.Name+"-gate") }

// GateConfigName is the ConfigMap with the configuration of the gate.
func GateConfigName(s *v1alpha1.MCPServer) string { return nameNow(s, s.Name+"-authproxy") }

// PublicKeysName is the ConfigMap with the public keys, and the list of what is revoked.
func PublicKeysName(s *v1alpha1.MCPServer) string { return nameNow(s, s.Name+"-jwks") }

// Volumes of the gate.
const (
	ConfigVolume = "gatehouse-config"
	KeysVolume   = "gatehouse-keys"
	SecretVolume = "gatehouse-secret"
	TLSVolume    = "gatehouse-tls"
	RunVolume    = "gatehouse-run"
)

const (
	// GateContainer is the container of the gate.
	GateContainer = "authproxy"
	// ServerContainer is the container of the MCP server.
	ServerContainer = "mcp"

	// GatePortName is the port for MCP clients, on the pod and on the Service.
	GatePortName = "mcp-gate"
	// FallbackPortName is the port for MCP clients where no pod of the Service is ready, on the pod.
	FallbackPortName = "gate-fallback"
	// AdminPortName is the port for the kubelet, the operator and metrics, on the pod.
	AdminPortName = "gate-admin"

	// GateUID is neither root nor 65532, which many images run as: a server must not share the gate's identity.
	GateUID int64 = 65533
)

// ManagedIssuer is the issuer and the audience of a Managed provider's tokens. By default it holds the UID, so a token of a
// deleted namesake is worthless, and nothing that can change, so a token survives every edit. One that the spec names is
// that of an MCPServer whose keys were taken over.
func ManagedIssuer(s *v1alpha1.MCPServer) string {
	if s.Spec.Auth != nil {
		for _, provider := range s.Spec.Auth.Providers {
			if managed := provider.Keys.Managed; managed != nil && managed.Issuer != "" {
				return managed.Issuer
			}
		}
	}
	return OwnIssuer(s)
}

// OwnIssuer is ManagedIssuer where the spec names none.
func OwnIssuer(s *v1alpha1.MCPServer) string {
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

// Owns reports whether an object is the server's: it has the server as its controller; or it has no controller any more, and
// the labels that tell this very server. An owner reference is lost by accident, in a restore or by a hand; the next apply
// puts it back.
func Owns(s *v1alpha1.MCPServer, object metav1.Object) bool {
	if controller := metav1.GetControllerOf(object); controller != nil {
		return controller.UID == s.UID
	}
	labels := object.GetLabels()
	return s.UID != "" && labels[v1alpha1.LabelServer] == s.Name && labels[v1alpha1.LabelInstance] == string(s.UID)
}

// IsGate reports whether a container is the gate.
func IsGate(c corev1.Container) bool { return c.Name == GateContainer }
