package v1alpha1

// Provider is one issuer of tokens. A token that names an issuer ("iss") is judged by the provider of that issuer and by
// no other; one that names none, by the provider without issuer.
//
// +kubebuilder:validation:XValidation:rule="self.keys.type in ['Secret', 'Remote'] || !(has(self.issuer) || has(self.audiences) || has(self.algorithms) || has(self.tokenTypes) || has(self.identityClaims) || has(self.requiredClaims))",message="issuer, audiences, algorithms, tokenTypes, identityClaims and requiredClaims are for keys of type Secret and Remote: those of Managed and Cluster are fixed, so remove them"
// +kubebuilder:validation:XValidation:rule="self.keys.type != 'Remote' || has(self.audiences) || has(self.requiredClaims)",message="audiences or requiredClaims is required for keys of type Remote: the issuer's tokens for other servers must not open this one"
// +kubebuilder:validation:XValidation:rule="self.keys.type != 'Secret' || !has(self.keys.secret) || self.keys.secret.format == 'SharedSecret' || has(self.audiences) || has(self.requiredClaims)",message="audiences or requiredClaims is required for public keys: the issuer's tokens for other servers must not open this one"
// +kubebuilder:validation:XValidation:rule="!has(self.algorithms) || self.algorithms.all(a, a.startsWith('HS') == (self.keys.type == 'Secret' && has(self.keys.secret) && self.keys.secret.format == 'SharedSecret'))",message="algorithms HS256, HS384 and HS512 are for keys of format SharedSecret, and only they are"
// +kubebuilder:validation:XValidation:rule="self.keys.type != 'Remote' || (has(self.keys.remote) && has(self.keys.remote.jwksURI)) || (has(self.issuer) && (self.issuer.startsWith('https://') || (has(self.keys.remote) && has(self.keys.remote.plainHTTP) && self.keys.remote.plainHTTP == 'Allow' && self.issuer.startsWith('http://'))))",message="without keys.remote.jwksURI the keys are looked for at issuer, which must then be an https URL"
// +kubebuilder:validation:XValidation:rule="!has(self.keys.managed) || !has(self.keys.managed.overlapSeconds) || !has(self.maxTokenLifetimeSeconds) || self.keys.managed.overlapSeconds >= self.maxTokenLifetimeSeconds",message="overlapSeconds must not be shorter than maxTokenLifetimeSeconds: good tokens of the old key would be refused"
// +kubebuilder:validation:XValidation:rule="!has(self.requiredClaims) || !has(self.identityClaims) || self.requiredClaims.all(c, !(c.name in self.identityClaims))",message="requiredClaims may not name one of identityClaims: use authorization.rules for what callers may do"
type Provider struct {
	// name of the provider, in status and metrics.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z]([-a-z0-9]*[a-z0-9])?$`
	Name string `json:"name"`

	// issuer is the exact "iss" of its tokens. Default: its tokens have no "iss"; one provider at most may be so.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:Pattern=`^\S+$`
	// +kubebuilder:validation:XValidation:rule="!self.matches('[{}<>]')",message="issuer is a template, and no token has it: name each tenant as a provider of its own, with the issuer of its tokens"
	Issuer string `json:"issuer,omitempty"`

	// audiences are those of which a token must name one in "aud". Required but for shared secrets, whose tokens are good
	// wherever that secret is known without it, and where requiredClaims say for whom a token is. Without audiences a token
	// that has "aud" is refused.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=512
	Audiences []string `json:"audiences,omitempty"`

	// algorithms are the JWS algorithms ("alg") accepted. A key serves one of them: the one that its file names, else the
	// first of these that it can. Default: HS256 for shared secrets, every other algorithm for public keys.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=13
	// +kubebuilder:validation:items:MaxLength=8
	Algorithms []Algorithm `json:"algorithms,omitempty"`

	// tokenTypes are the "typ" headers accepted; "" accepts a token without one. Default: at+jwt alone (RFC 9068); for
	// shared secrets of profile Quilt also JWT and none.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	// +kubebuilder:validation:items:MaxLength=64
	// +kubebuilder:validation:items:Pattern=`^$|^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]*(/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]*)?$`
	// +kubebuilder:validation:XValidation:rule="!self.exists(t, t.lowerAscii().matches('^(application/)?((dpop|secevent|logout|token-introspection|id_token|kb|oauth-authz-req|entity-statement|trust-mark|txntoken|vc|vp|statuslist|oauth-client-attestation|oauth-client-attestation-pop|client-authentication|openid4vci-proof|refresh|rt|id)[+]jwt|(vc|dc)[+]sd-jwt|refresh|id|id_token|logout|logout_token|refresh_token)$'))",message="tokenTypes may not list types that mean something else than an access token, such as id_token+jwt or logout+jwt"
	TokenTypes []string `json:"tokenTypes,omitempty"`

	// identityClaims together say who the caller is; each must be there, a text or a number. "/a/b" names the member b of the
	// claim a (RFC 6901). Default: sub; for shared secrets of profile Quilt: id.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=4
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=128
	// +kubebuilder:validation:items:XValidation:rule="!self.matches('^(realm_access|resource_access|act|may_act|cnf|address|kubernetes[.]io)[.]') && (!self.startsWith('/') || self.matches('^(/([^/~]|~0|~1)+){1,16}$'))",message="a claim inside of another is named by a path (RFC 6901), such as /realm_access/roles"
	IdentityClaims []string `json:"identityClaims,omitempty"`

	// requiredClaims must all be in a token, each with one of its values. They stand in for audiences where access tokens
	// carry no "aud", such as client_id.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	// +kubebuilder:validation:XValidation:rule="self.all(c, !c.name.matches('^/?(iss|aud|exp|nbf|iat|jti|sub|scope|scp|cnf|gatehouse_pod)(/|$)'))",message="requiredClaims may not name iss, aud, exp, nbf, iat, jti, sub, scope, scp or cnf: issuer, audiences, requiredScopes and rules are for them"
	RequiredClaims []ClaimMatch `json:"requiredClaims,omitempty"`

	// clockSkewSeconds is the leeway on a token's times. Default: 30.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=300
	ClockSkewSeconds *int32 `json:"clockSkewSeconds,omitempty"`

	// maxTokenLifetimeSeconds refuses tokens that live longer, from "iat" to "exp", and those without "iat". 0 is no
	// bound. Default: 86400; for shared secrets of profile Quilt, whose tokens have no "iat": 0.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=31536000
	// +kubebuilder:validation:XValidation:rule="self == 0 || self >= 60",message="maxTokenLifetimeSeconds is 0, for no bound, or at least 60"
	MaxTokenLifetimeSeconds *int32 `json:"maxTokenLifetimeSeconds,omitempty"`

	// keys say where the provider's verification keys come from.
	// +required
	Keys ProviderKeys `json:"keys"`
}

// Algorithm is a JWS algorithm (RFC 7518 section 3.1, RFC 8037).
//
// +kubebuilder:validation:Enum=EdDSA;ES256;ES384;ES512;RS256;RS384;RS512;PS256;PS384;PS512;HS256;HS384;HS512
type Algorithm string

// KeysType says where keys come from.
//
// +kubebuilder:validation:Enum=Managed;Secret;Remote;Cluster
type KeysType string

const (
	// KeysManaged: Gatehouse makes the signing key and keeps it in the Secret NAME-keys; whoever may read that Secret may
	// mint tokens. Issuer and audience are urn:gatehouse:NAMESPACE:NAME:UID, for ever, unless keys.managed.issuer says otherwise.
	KeysManaged KeysType = "Managed"
	// KeysSecret: you bring the keys, in a Secret that the gate mounts.
	KeysSecret KeysType = "Secret"
	// KeysRemote: the gate fetches the keys, and nobody else.
	KeysRemote KeysType = "Remote"
	// KeysCluster: the cluster's own issuer of ServiceAccount tokens. A pod calls with a projected token of the audience
	// gatehouse:NAMESPACE/NAME; its ServiceAccount is the caller. The operator reads the issuer's keys from the API server.
	KeysCluster KeysType = "Cluster"
)

// ProviderKeys is a union; type names its member.
//
// +kubebuilder:validation:XValidation:rule="!has(self.managed) || self.type == 'Managed'",message="managed may only be set when type is Managed"
// +kubebuilder:validation:XValidation:rule="has(self.secret) == (self.type == 'Secret')",message="secret must be set when type is Secret, and may only be set then"
// +kubebuilder:validation:XValidation:rule="!has(self.remote) || self.type == 'Remote'",message="remote may only be set when type is Remote"
type ProviderKeys struct {
	// type says which source is used.
	// +required
	Type KeysType `json:"type"`

	// managed configures keys that Gatehouse makes.
	// +optional
	Managed *ManagedKeys `json:"managed,omitempty"`

	// secret names keys that you bring.
	// +optional
	Secret *SecretKeys `json:"secret,omitempty"`

	// remote says where the gate fetches keys. Default: where the issuer's metadata says (OpenID Connect Discovery,
	// RFC 8414).
	// +optional
	Remote *RemoteKeys `json:"remote,omitempty"`
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

	// issuer is the issuer and the audience of its tokens. Set it to that of another MCPServer whose keys were taken over
	// (gatehouse keys import), so that tokens which clients hold stay good. Default: urn:gatehouse:NAMESPACE:NAME:UID of this
	// MCPServer.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:Pattern=`^urn:gatehouse:[a-z0-9-]+:[a-z0-9-]+:[A-Za-z0-9-]+$`
	Issuer string `json:"issuer,omitempty"`
}

// SecretKeys are verification keys in a Secret of the MCPServer's namespace. The gate mounts them, and no other container
// may. All of them verify, so that keys are replaced without a failed request: add the new one, wait until status.keys
// and every pod have it, let the issuer sign with it, remove the old one.
type SecretKeys struct {
	// name of the Secret.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`
	Name string `json:"name"`

	// keys are those of its data keys that hold verification keys.
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=4
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=128
	// +kubebuilder:validation:items:Pattern=`^[-._a-zA-Z0-9]+$`
	Keys []string `json:"keys"`

	// format of each of them: SharedSecret is one HMAC key of at least 32 bytes, byte for byte; PEM public keys or
	// certificates; JWKS a JWK Set of public keys. A private key in it is refused.
	// +required
	Format KeyFormat `json:"format"`
}

// KeyFormat says how keys are written.
//
// +kubebuilder:validation:Enum=SharedSecret;PEM;JWKS
type KeyFormat string

const (
	// FormatSharedSecret is one HMAC key, byte for byte. Whoever can check a token with it can also make one.
	FormatSharedSecret KeyFormat = "SharedSecret"
	// FormatPEM is public keys or certificates in PEM.
	FormatPEM KeyFormat = "PEM"
	// FormatJWKS is a JWK Set of public keys (RFC 7517).
	FormatJWKS KeyFormat = "JWKS"
)

// RemoteKeys are fetched by the gate, never by the operator. Addresses of the pod itself, of its node and of clouds'
// metadata services are refused.
//
// +kubebuilder:validation:XValidation:rule="!has(self.jwksURI) || self.jwksURI.startsWith('https://') || (has(self.plainHTTP) && self.plainHTTP == 'Allow')",message="jwksURI must be an https URL; set plainHTTP to Allow for an issuer inside the cluster"
type RemoteKeys struct {
	// jwksURI is the URL of the issuer's JWK Set. Default: what the issuer's metadata says.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	// +kubebuilder:validation:Pattern=`^https?://[^/?#@\s]+(/[^#\s]*)?$`
	JWKSURI string `json:"jwksURI,omitempty"`

	// caSecretRef names certificates that are trusted in place of the image's.
	// +optional
	CASecretRef *SecretKeyRef `json:"caSecretRef,omitempty"`

	// plainHTTP says whether http URLs may be fetched. Whoever is on the way can then put in keys of his own, so allow it
	// for issuers inside the cluster only. Default: Refuse.
	// +optional
	PlainHTTP PlainHTTP `json:"plainHTTP,omitempty"`

	// maxStaleSeconds is how long keys are used after the issuer was last reached; then its tokens are answered 503.
	// Default: 86400.
	// +optional
	// +kubebuilder:validation:Minimum=3600
	// +kubebuilder:validation:Maximum=2592000
	MaxStaleSeconds *int32 `json:"maxStaleSeconds,omitempty"`
}

// PlainHTTP says whether http URLs may be fetched.
//
// +kubebuilder:validation:Enum=Refuse;Allow
type PlainHTTP string

const (
	// PlainHTTPRefuse fetches https URLs only.
	PlainHTTPRefuse PlainHTTP = "Refuse"
	// PlainHTTPAllow fetches http URLs, too.
	PlainHTTPAllow PlainHTTP = "Allow"
)

// SecretKeyRef names a data key of a Secret of the same namespace.
type SecretKeyRef struct {
	// name of the Secret.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`
	Name string `json:"name"`
	// key of its data. Default: ca.crt.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:Pattern=`^[-._a-zA-Z0-9]+$`
	Key string `json:"key,omitempty"`
}
