package v1alpha1

// ProbeCredential says with what the operator shows that a good token is let in.
//
// +kubebuilder:validation:Enum=ProbeKey;SecretRef;None
type ProbeCredential string

const (
	// CredentialProbeKey: gates accept a key of the operator's as one more key of each provider of type Remote and Cluster,
	// and of those of type Secret with public keys. It is another for each MCPServer. Its tokens live for a minute, are good
	// on one pod, for two subjects that nobody else may have, open no more than the handshake and the lists, and never reach
	// the server. Tokens of shared secrets are signed with the secret itself, where claims say whose they are.
	CredentialProbeKey ProbeCredential = "ProbeKey"
	// CredentialSecretRef: a token that you bring, of the provider whose issuer it names. It is what the server gets, too.
	// Tokens of shared secrets are signed as with ProbeKey.
	CredentialSecretRef ProbeCredential = "SecretRef"
	// CredentialNone: nothing. No good token of any provider is sent, so AuthHealthy is Unknown at best, with reason
	// ProbeCredentialMissing, and readinessGate must be Off. Whether pods have taken up a key of type Managed is read from what
	// their gates say, and not tried.
	CredentialNone ProbeCredential = "None"
)

// ClaimValue is the value of a claim, a string.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=512
type ClaimValue string

// TokenSecretRef names a data key of a Secret of the same namespace that holds a token: a JWT, as it is sent.
type TokenSecretRef struct {
	// name of the Secret.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`
	Name string `json:"name"`
	// key of its data. Default: token.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:Pattern=`^[-._a-zA-Z0-9]+$`
	Key string `json:"key,omitempty"`
}
