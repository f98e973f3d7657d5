package v1alpha1

// LogLevel says how much the gate tells of its own doings. The audit, a line per decision, does not depend on it.
//
// +kubebuilder:validation:Enum=Debug;Info;Warn;Error
type LogLevel string

// GateTLS has clients served over TLS.
type GateTLS struct {
	// secretRef names a Secret of type kubernetes.io/tls: the certificate, with its chain, in tls.crt, and its key in
	// tls.key. Only the gate may mount it. A renewed one is shown within seconds.
	// +required
	SecretRef LocalSecretRef `json:"secretRef"`
}

// LocalSecretRef names a Secret of the same namespace.
type LocalSecretRef struct {
	// name of the Secret.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`
	Name string `json:"name"`
}

// TrailingSlash says what a path with one more slash at its end is.
//
// +kubebuilder:validation:Enum=Distinct;Same
type TrailingSlash string

const (
	// TrailingSlashDistinct: another path, and closed.
	TrailingSlashDistinct TrailingSlash = "Distinct"
	// TrailingSlashSame: the MCP endpoint as well; the server gets spec.path.
	TrailingSlashSame TrailingSlash = "Same"
)
