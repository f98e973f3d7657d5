package v1alpha1

// Auth says whose tokens are accepted.
type Auth struct {
	// providers are the issuers whose tokens are accepted. Default: one of type Managed, named "managed".
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	// +kubebuilder:validation:XValidation:rule="self.filter(p, p.keys.type == 'Managed').size() <= 1",message="at most one provider may have keys of type Managed: they would share one issuer"
	Providers []Provider `json:"providers,omitempty"`

	// forward says what the server learns of the caller.
	// +optional
	Forward *Forward `json:"forward,omitempty"`
}

// Forward says what the server learns of the caller.
type Forward struct {
	// authorization says whether the verified Authorization header is passed on. A server that gets it can act as the
	// caller wherever the token is good. Default: Strip for Generic, Forward for Quilt.
	// +optional
	Authorization ForwardAuthorization `json:"authorization,omitempty"`
}

// ForwardAuthorization says whether the verified Authorization header is passed on.
//
// +kubebuilder:validation:Enum=Strip;Forward
type ForwardAuthorization string

const (
	// AuthorizationStrip removes the header: the server trusts the gate and needs no token.
	AuthorizationStrip ForwardAuthorization = "Strip"
	// AuthorizationForward passes the header on, once verified: for servers that read the token themselves.
	AuthorizationForward ForwardAuthorization = "Forward"
)

// Provider is one issuer of tokens.
//
// +kubebuilder:validation:XValidation:rule="!has(self.keys.managed) || !has(self.keys.managed.overlapSeconds) || !has(self.maxTokenLifetimeSeconds) || self.keys.managed.overlapSeconds >= self.maxTokenLifetimeSeconds",message="overlapSeconds must not be shorter than maxTokenLifetimeSeconds: good tokens of the old key would be refused"
type Provider struct {
	// name of the provider, in status and metrics.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z]([-a-z0-9]*[a-z0-9])?$`
	Name string `json:"name"`

	// clockSkewSeconds is the leeway on a token's times. Default: 30.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=300
	ClockSkewSeconds *int32 `json:"clockSkewSeconds,omitempty"`

	// maxTokenLifetimeSeconds refuses tokens that live longer, from "iat" to "exp". Default: 86400.
	// +optional
	// +kubebuilder:validation:Minimum=60
	// +kubebuilder:validation:Maximum=31536000
	MaxTokenLifetimeSeconds *int32 `json:"maxTokenLifetimeSeconds,omitempty"`

	// keys say where the provider's verification keys come from.
	// +required
	Keys ProviderKeys `json:"keys"`
}

// KeysType says where keys come from.
//
// +kubebuilder:validation:Enum=Managed
type KeysType string

// KeysManaged: Gatehouse makes the signing key and keeps it in the Secret NAME-keys; whoever may read that Secret may
// mint tokens. Issuer and audience are urn:gatehouse:NAMESPACE:NAME:UID, for ever.
const KeysManaged KeysType = "Managed"

// ProviderKeys is a union; type names its member.
//
// +kubebuilder:validation:XValidation:rule="!has(self.managed) || self.type == 'Managed'",message="managed may only be set when type is Managed"
type ProviderKeys struct {
	// type says which source is used.
	// +required
	Type KeysType `json:"type"`

	// managed configures keys that Gatehouse makes.
	// +optional
	Managed *ManagedKeys `json:"managed,omitempty"`
}

// ManagedKeys configures keys that Gatehouse makes.
type ManagedKeys struct {
	// algorithm of the key (RFC 7518, RFC 8037). Default: EdDSA. It applies to keys made from now on: to change that of a
	// server which has its key, rotate the key.
	// +optional
	// +kubebuilder:validation:Enum=EdDSA;ES256;RS256
	Algorithm string `json:"algorithm,omitempty"`

	// rotationSeconds is how long a key signs before it is replaced. Default: for ever; a key is then replaced on request
	// only, by the annotation mcp.gatehouse.dev/rotate-keys. Every step waits until it was seen to have reached every pod.
	// +optional
	// +kubebuilder:validation:Minimum=3600
	// +kubebuilder:validation:Maximum=315360000
	RotationSeconds *int32 `json:"rotationSeconds,omitempty"`

	// overlapSeconds is how long a key that was replaced still verifies; a minute more is added for tokens that were being
	// signed at that moment. Default, and the least that is effective: the longest life of a token, which is
	// maxTokenLifetimeSeconds and clockSkewSeconds.
	// +optional
	// +kubebuilder:validation:Minimum=60
	// +kubebuilder:validation:Maximum=31536000
	OverlapSeconds *int32 `json:"overlapSeconds,omitempty"`
}

// AuthProbe says how the lock is tried.
type AuthProbe struct {
	// intervalSeconds between two rounds on a proven pod. Others are asked sooner: after 2 s, 4 s, 8 s and so on, up to
	// this. Default: 30.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=3600
	IntervalSeconds *int32 `json:"intervalSeconds,omitempty"`

	// timeoutSeconds for each request of a round. Default: 5.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=60
	TimeoutSeconds *int32 `json:"timeoutSeconds,omitempty"`

	// failureThreshold is the number of rounds in a row after which a failure counts. It does not delay the finding
	// that a bad token was let in, which counts at once. Default: 3.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	FailureThreshold *int32 `json:"failureThreshold,omitempty"`

	// successThreshold is the number of good rounds in a row after which a pod that failed counts as proven again.
	// Default: 1.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	SuccessThreshold *int32 `json:"successThreshold,omitempty"`

	// readinessGate says whether a pod takes traffic before its lock was proven. Default: Enforce.
	// +optional
	ReadinessGate ReadinessGateMode `json:"readinessGate,omitempty"`

	// bareServer says whether the gate asks its server once in each pod, before there are clients, what it does with a
	// request without a token and with a malformed one. What comes of it is in status.authHealth.bareServer and decides
	// nothing. A change gives new pods. Default: Off for Generic, Once for Quilt.
	// +optional
	BareServer BareServerMode `json:"bareServer,omitempty"`
}

// BareServerMode says whether the server is asked what it does without its gate.
//
// +kubebuilder:validation:Enum=Once;Off
type BareServerMode string

const (
	// BareServerOnce asks once in the life of each pod. There are servers that exit for such a request.
	BareServerOnce BareServerMode = "Once"
	// BareServerOff never asks.
	BareServerOff BareServerMode = "Off"
)

// ReadinessGateMode says whether unproven pods are kept out of the Service.
//
// +kubebuilder:validation:Enum=Enforce;Off
type ReadinessGateMode string

const (
	// ReadinessGateEnforce keeps a pod out of the Service until its lock was proven.
	ReadinessGateEnforce ReadinessGateMode = "Enforce"
	// ReadinessGateOff lets a pod take traffic as soon as the gate itself is ready.
	ReadinessGateOff ReadinessGateMode = "Off"
)
