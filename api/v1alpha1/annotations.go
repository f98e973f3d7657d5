package v1alpha1

// AnnotationSpec is on the ConfigMap with the gate's configuration: the part of the MCPServer's spec that the configuration
// carries out, as JSON; a digest of it where it is longer than 64 KiB.
const AnnotationSpec = "mcp.gatehouse.dev/spec"

// Annotations on Deployments by which an operator knows what it, or one before it, has done.
const (
	// AnnotationTemplate is the pod template as it was applied: JSON, compressed with gzip, in base64.
	AnnotationTemplate = "mcp.gatehouse.dev/template"
	// AnnotationAsked is what the MCPServer asked for when the template was applied: its generation, a digest of its spec
	// without replicas, and one of the restart that it asks for.
	AnnotationAsked = "mcp.gatehouse.dev/asked"
	// AnnotationUpgrading is there while pods are replaced because the operator has another version. An upgrade that does
	// not come to its end keeps it. As many Deployments have it as are upgraded at a time.
	AnnotationUpgrading = "mcp.gatehouse.dev/upgrading"
)

// AnnotationLentKey, on pods and their templates, is the id, as in status.keys, of the shared secret that the server has read
// at its start. Another secret makes another template, and so new pods.
const AnnotationLentKey = "mcp.gatehouse.dev/lent-key"

// AnnotationIssuer is on exported keys: the issuer, and the audience, of the tokens that they have signed.
const AnnotationIssuer = "mcp.gatehouse.dev/issuer"
