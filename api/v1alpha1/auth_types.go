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
	// +kubebuilder:validation:XValidation:rule="self.filter(p, p.keys.type == 'Cluster').size() <= 1",message="at most one provider may have keys of type Cluster: they would share one issuer"
	// +kubebuilder:validation:XValidation:rule="self.filter(p, p.keys.type in ['Secret', 'Remote'] && !has(p.issuer)).size() <= 1",message="at most one provider may be without issuer: tokens without iss are judged by it"
	// +kubebuilder:validation:XValidation:rule="self.all(p, !has(p.issuer) || self.exists_one(q, has(q.issuer) && q.issuer == p.issuer))",message="two providers may not have the same issuer: list all keys of an issuer in one provider"
	Providers []Provider `json:"providers,omitempty"`

	// authorization says what the bearer of an accepted token may do. Default: everything.
	// +optional
	Authorization *Authorization `json:"authorization,omitempty"`

	// resourceMetadata tells clients where to get a token (RFC 9728). Default: nothing is published.
	// +optional
	ResourceMetadata *ResourceMetadata `json:"resourceMetadata,omitempty"`

	// forward says what the server learns of the caller.
	// +optional
	Forward *Forward `json:"forward,omitempty"`

	// revoked says what is no longer accepted although it is signed and has not expired.
	// +optional
	Revoked *Revoked `json:"revoked,omitempty"`

	// limits bound what a request may cost.
	// +optional
	Limits *Limits `json:"limits,omitempty"`

	// sessionBinding says to whom a session belongs. Default: Caller for Generic, Stateless for Quilt.
	// +optional
	SessionBinding SessionBinding `json:"sessionBinding,omitempty"`
}

// Forward says what the server learns of the caller.
type Forward struct {
	// authorization says whether the verified Authorization header is passed on. A server that gets it can act as the
	// caller wherever the token is good. Default: Strip for Generic, Forward for Quilt.
	// +optional
	Authorization ForwardAuthorization `json:"authorization,omitempty"`

	// claimToHeaders tell the server who is asking.
	// +optional
	// +listType=map
	// +listMapKey=header
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:XValidation:rule="self.all(h, self.exists_one(o, o.header.lowerAscii() == h.header.lowerAscii()))",message="a header may be listed once only, in whatever spelling"
	ClaimToHeaders []ClaimHeader `json:"claimToHeaders,omitempty"`
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

// AuthProbe says how the lock is tried.
//
// +kubebuilder:validation:XValidation:rule="has(self.tokenSecretRef) == (has(self.credential) && self.credential == 'SecretRef')",message="tokenSecretRef must be set when credential is SecretRef, and may only be set then"
// +kubebuilder:validation:XValidation:rule="!has(self.claims) || !has(self.credential) || self.credential != 'None'",message="with credential None no token is signed with a shared secret: remove claims"
// +kubebuilder:validation:XValidation:rule="!has(self.credential) || self.credential != 'None' || (has(self.readinessGate) && self.readinessGate == 'Off')",message="with credential None no lock is proven, so no pod would ever take traffic: set readinessGate to Off as well"
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

	// credential says with what the operator shows that a good token is let in. Where a provider's signing key is the
	// operator's own, as with type Managed, that key signs unless this is None. Default: ProbeKey.
	// +optional
	Credential ProbeCredential `json:"credential,omitempty"`

	// tokenSecretRef names a good token of one of the providers, for credential SecretRef. Whoever issues it renews it.
	// +optional
	TokenSecretRef *TokenSecretRef `json:"tokenSecretRef,omitempty"`

	// claims are those of the tokens that the operator signs with shared secrets, besides exp: who is to be let in. Without
	// them it signs none. Default: none for Generic; {id: gatehouse-probe, uuid: gatehouse-probe} for Quilt.
	// +optional
	// +mapType=atomic
	// +kubebuilder:validation:MinProperties=1
	// +kubebuilder:validation:MaxProperties=16
	// +kubebuilder:validation:XValidation:rule="self.all(c, c != '' && c.size() <= 128 && !(c in ['exp', 'iat', 'nbf', 'iss', 'aud', 'jti', 'scope']))",message="claims may not be exp, iat, nbf, iss, aud, jti or scope, which the operator sets where they are needed; names have 1 to 128 characters"
	Claims map[string]ClaimValue `json:"claims,omitempty"`

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
