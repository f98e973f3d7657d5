package v1alpha1

// Authorization says what the bearer of an accepted token may do. Default: everything.
//
// Whoever lacks requiredScopes is refused. Then, if there are rules or defaultAction is Deny, each JSON-RPC message is
// judged: it is allowed if it meets one of the rules that speak of it, and refused if it meets none of them.
type Authorization struct {
	// requiredScopes must all be in the token's "scope", whatever is asked.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	// +kubebuilder:validation:items:MaxLength=128
	// +kubebuilder:validation:items:Pattern=`^[\x21\x23-\x5b\x5d-\x7e]+$`
	RequiredScopes []string `json:"requiredScopes,omitempty"`

	// defaultAction is for messages that no rule speaks of. The methods by which client and server find together
	// (initialize, server/discover, ping, notifications/*) are allowed then all the same. Where any rule names tools, a
	// call of a tool that none names is denied whatever this says; likewise for prompts and resources. Default: Allow.
	// +optional
	DefaultAction Action `json:"defaultAction,omitempty"`

	// rules are alternatives: their order does not matter, and a rule never takes away what another gives.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	Rules []Rule `json:"rules,omitempty"`
}

// Action is what becomes of a message that no rule speaks of.
//
// +kubebuilder:validation:Enum=Allow;Deny
type Action string

const (
	// ActionAllow lets it pass.
	ActionAllow Action = "Allow"
	// ActionDeny refuses it.
	ActionDeny Action = "Deny"
)

// Rule speaks of the messages that it names, and says what their sender must have. A name is exact, case included, or
// ends with "*" and stands for all that begin so.
//
// +kubebuilder:validation:XValidation:rule="has(self.methods) || has(self.tools) || has(self.prompts) || has(self.resources)",message="a rule must name methods, tools, prompts or resources: to ask scopes of everybody use requiredScopes"
type Rule struct {
	// methods are JSON-RPC methods, such as tools/call or resources/*.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=128
	Methods []string `json:"methods,omitempty"`

	// tools are those that tools/call calls.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=128
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=256
	Tools []string `json:"tools,omitempty"`

	// prompts are those that prompts/get gets, and that a completion is for.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=128
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=256
	Prompts []string `json:"prompts,omitempty"`

	// resources are URIs that are read or subscribed to, as they are spelled.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=128
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=1024
	Resources []string `json:"resources,omitempty"`

	// scopes must all be in the token.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	// +kubebuilder:validation:items:MaxLength=128
	// +kubebuilder:validation:items:Pattern=`^[\x21\x23-\x5b\x5d-\x7e]+$`
	Scopes []string `json:"scopes,omitempty"`

	// claims must all match.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	Claims []ClaimMatch `json:"claims,omitempty"`
}

// ClaimMatch wants a claim to have one of the values: to be one, or a list with one in it. Booleans are compared with true
// and false, numbers by their value.
type ClaimMatch struct {
	// name of the claim, dots included. "/a/b" names the member b of the claim a (RFC 6901); in it "~1" stands for "/".
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:XValidation:rule="!self.matches('^(realm_access|resource_access|act|may_act|cnf|address|kubernetes[.]io)[.]') && (!self.startsWith('/') || self.matches('^(/([^/~]|~0|~1)+){1,16}$'))",message="a claim inside of another is named by a path (RFC 6901), such as /realm_access/roles"
	Name string `json:"name"`

	// values of which the claim must have one.
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MaxLength=256
	Values []string `json:"values"`
}

// ResourceMetadata is the protected resource metadata of RFC 9728, by which clients find the authorization server. The
// gate serves it to anybody, and names it in challenges.
type ResourceMetadata struct {
	// resource is the URL that clients use for this server. Its host is allowed, as in gate.allowedHosts.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	// +kubebuilder:validation:Pattern=`^https?://[^/?#@\s]+(/[^?#\s]*)?$`
	Resource string `json:"resource"`

	// authorizationServers are the issuer URLs of those that give tokens for it.
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	// +kubebuilder:validation:items:MaxLength=1024
	// +kubebuilder:validation:items:Pattern=`^https?://[^/?#@\s]+(/[^#\s]*)?$`
	AuthorizationServers []string `json:"authorizationServers"`

	// scopesSupported is what clients should ask for.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MaxLength=128
	// +kubebuilder:validation:items:Pattern=`^[\x21\x23-\x5b\x5d-\x7e]+$`
	ScopesSupported []string `json:"scopesSupported,omitempty"`
}

// ClaimHeader passes a claim of the verified token on to the server as a request header. Clients' own headers of that name
// are removed.
type ClaimHeader struct {
	// header is its name.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9-]+$`
	// +kubebuilder:validation:XValidation:rule="!(self.lowerAscii() in ['accept', 'authorization', 'connection', 'content-encoding', 'content-length', 'content-type', 'cookie', 'expect', 'forwarded', 'host', 'keep-alive', 'last-event-id', 'mcp-method', 'mcp-name', 'mcp-protocol-version', 'mcp-session-id', 'origin', 'proxy-authorization', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto'])",message="this header has a meaning of its own, and no claim may take its place: choose another, such as X-User"
	Header string `json:"header"`

	// claim is what it holds: strings as they are, all else as JSON. Without that claim there is no header. "/a/b" names the
	// member b of the claim a.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:XValidation:rule="!self.matches('^(realm_access|resource_access|act|may_act|cnf|address|kubernetes[.]io)[.]') && (!self.startsWith('/') || self.matches('^(/([^/~]|~0|~1)+){1,16}$'))",message="a claim inside of another is named by a path (RFC 6901), such as /realm_access/roles"
	Claim string `json:"claim"`
}

// Revoked says what is no longer accepted although it is signed and has not expired.
type Revoked struct {
	// configMapRef names the list: one entry a line, jti:ID, sub:SUBJECT, kid:KEY or issuedBefore:TIME [SUBJECT], at
	// most 9,999. Empty lines, and what follows a # at the beginning of a line or behind a space, say nothing.
	// +required
	ConfigMapRef ConfigMapKeyRef `json:"configMapRef"`
}

// ConfigMapKeyRef names a data key of a ConfigMap of the same namespace.
type ConfigMapKeyRef struct {
	// name of the ConfigMap.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`
	Name string `json:"name"`
	// key of its data. Default: revoked.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[-._a-zA-Z0-9]+$`
	Key string `json:"key,omitempty"`
}

// Limits bound what a request may cost the gate and the server.
type Limits struct {
	// bodyBytes is the longest request body: 413 above it. Default: 4194304.
	// +optional
	// +kubebuilder:validation:Minimum=1024
	// +kubebuilder:validation:Maximum=67108864
	BodyBytes *int64 `json:"bodyBytes,omitempty"`

	// tokenBytes is the longest token: 401 above it. Default: 8192.
	// +optional
	// +kubebuilder:validation:Minimum=512
	// +kubebuilder:validation:Maximum=24576
	TokenBytes *int32 `json:"tokenBytes,omitempty"`

	// failuresPerSecond is how many bad signatures of one source are checked at once; five times as many may come at a
	// time. Above that, new signatures of the source are checked in turn, and answered 429 if their turn does not come
	// within 10 seconds. Default: 20.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=10000
	FailuresPerSecond *int32 `json:"failuresPerSecond,omitempty"`

	// streams is how many streams one caller may have open on one gate: 429 above it. Default: 64.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=10000
	Streams *int32 `json:"streams,omitempty"`

	// requests is how many requests one caller may have in progress on one gate, open streams included: 429 above it.
	// Default: 512.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=10000
	Requests *int32 `json:"requests,omitempty"`

	// streamMaxSeconds is the longest life of a stream, whatever its token. Default: 3600.
	// +optional
	// +kubebuilder:validation:Minimum=10
	// +kubebuilder:validation:Maximum=86400
	StreamMaxSeconds *int32 `json:"streamMaxSeconds,omitempty"`

	// clientIP says where requests come from. Default: the other end of the TCP connection.
	// +optional
	ClientIP *ClientIP `json:"clientIP,omitempty"`
}

// ClientIP believes a header about where a request comes from, if a known proxy sent it.
type ClientIP struct {
	// trustedProxies are networks (CIDR). The source is the right-most address in the header that is not in them.
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	// +kubebuilder:validation:items:MaxLength=64
	// +kubebuilder:validation:items:XValidation:rule="isCIDR(self)",message="a network such as 10.0.0.0/8 is wanted"
	TrustedProxies []string `json:"trustedProxies"`

	// header that the proxies set. Default: X-Forwarded-For.
	// +optional
	// +kubebuilder:validation:Enum=X-Forwarded-For;Forwarded
	Header string `json:"header,omitempty"`
}

// SessionBinding says to whom a session belongs.
//
// +kubebuilder:validation:Enum=Caller;Stateless;Off
type SessionBinding string

const (
	// SessionBindingCaller: to the caller who opened it; for anybody else it does not exist.
	SessionBindingCaller SessionBinding = "Caller"
	// SessionBindingStateless: the server keeps no sessions. A session id that a client made up is left out of its request, and
	// not answered 404. A session that the server opens all the same belongs to its caller.
	SessionBindingStateless SessionBinding = "Stateless"
	// SessionBindingOff: to whoever has a good token and knows its id.
	SessionBindingOff SessionBinding = "Off"
)
