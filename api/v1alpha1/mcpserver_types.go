package v1alpha1

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// MCPServer deploys one MCP server behind a gate that refuses every request without a token issued for this server,
// and says in its status, from evidence, whether the gate holds.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:subresource:scale:specpath=.spec.replicas,statuspath=.status.replicas,selectorpath=.status.selector
// +kubebuilder:resource:categories=mcp
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Auth",type=string,JSONPath=`.status.conditions[?(@.type=="AuthHealthy")].reason`,description="Why AuthHealthy is what it is; Proven when the lock was seen to hold"
// +kubebuilder:printcolumn:name="Replicas",type=string,JSONPath=`.status.readyReplicas`,description="Pods that are ready and proven"
// +kubebuilder:printcolumn:name="URL",type=string,JSONPath=`.status.address.url`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Reason",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Last Probe",type=date,priority=1,JSONPath=`.status.authHealth.lastProbeTime`
// +kubebuilder:printcolumn:name="Image",type=string,priority=1,JSONPath=`.spec.image`
// +kubebuilder:validation:XValidation:rule="self.metadata.name.matches('^[a-z]([-a-z0-9]{0,50}[a-z0-9])?$')",message="metadata.name must start with a letter, hold only a-z, 0-9 and '-', and have at most 52 characters: it names a Service and is a label value"
type MCPServer struct {
	metav1.TypeMeta `json:",inline"`
	// metadata is the standard object's metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// spec says what to run and whom to let in.
	// +required
	Spec MCPServerSpec `json:"spec"`

	// status says what runs, and whether its lock holds.
	// +optional
	// +kubebuilder:default={conditions:{{type:"Ready",status:"Unknown",reason:"Pending",message:"No operator has looked at this MCPServer yet.",lastTransitionTime:"1970-01-01T00:00:00Z"}}}
	Status MCPServerStatus `json:"status,omitzero"`
}

// MCPServerList is a list of MCPServers.
//
// +kubebuilder:object:root=true
type MCPServerList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []MCPServer `json:"items"`
}

// MCPServerSpec says what to run and whom to let in. Only image is required; what is left out is locked.
//
// +kubebuilder:validation:XValidation:rule="!has(self.multiuser) || !has(self.profile) || self.profile == 'Generic'",message="multiuser is for profile Generic: every other profile knows its own multiuser settings, so remove multiuser or set profile to Generic"
// +kubebuilder:validation:XValidation:rule="!has(self.multiuser) || !has(self.env) || self.multiuser.env.all(m, !self.env.exists(e, e.name == m.name))",message="a name in multiuser.env may not stand in env as well: keep it in multiuser.env, which wins over envFrom"
// +kubebuilder:validation:XValidation:rule="!has(self.profile) || self.profile != 'Quilt' || has(self.envFrom) || (has(self.env) && self.env.exists(e, e.name == 'QUILT_CATALOG_URL'))",message="profile Quilt needs QUILT_CATALOG_URL in env (or envFrom), and releases before 0.22 also QUILT_REGISTRY_URL: without it the server exits at start"
// +kubebuilder:validation:XValidation:rule="!has(self.quilt) || self.quilt.release != 'UpTo014' || has(self.envFrom) || (has(self.env) && self.env.exists(e, e.name == 'QUILT_REGISTRY_URL'))",message="quilt.release UpTo014 needs QUILT_REGISTRY_URL in env (or envFrom): without it the server exits at start"
// +kubebuilder:validation:XValidation:rule="!has(self.profile) || self.profile != 'Quilt' || !has(self.env) || !self.env.exists(e, e.name in ['QUILT_MULTIUSER_MODE', 'QUILT_DEPLOYMENT', 'QUILT_FALLBACK_JWT', 'QUILT_ALLOW_TEST_JWT', 'FASTMCP_TRANSPORT', 'FASTMCP_HOST', 'FASTMCP_PORT', 'FASTMCP_ADDR'])",message="profile Quilt sets QUILT_MULTIUSER_MODE, QUILT_DEPLOYMENT, QUILT_FALLBACK_JWT, QUILT_ALLOW_TEST_JWT, FASTMCP_TRANSPORT, FASTMCP_HOST, FASTMCP_PORT and FASTMCP_ADDR itself: remove them from env, or use profile Generic"
// +kubebuilder:validation:XValidation:rule="(has(self.port) ? self.port : 8000) != (has(self.gate) && has(self.gate.port) ? self.gate.port : 8080) && (has(self.port) ? self.port : 8000) != (has(self.gate) && has(self.gate.adminPort) ? self.gate.adminPort : 9090) && (has(self.gate) && has(self.gate.port) ? self.gate.port : 8080) != (has(self.gate) && has(self.gate.adminPort) ? self.gate.adminPort : 9090)",message="port (default 8000), gate.port (default 8080) and gate.adminPort (default 9090) must differ: they are opened in one pod"
// +kubebuilder:validation:XValidation:rule="!has(self.pod) || !has(self.pod.terminationGracePeriodSeconds) || self.pod.terminationGracePeriodSeconds >= (has(self.gate) && has(self.gate.drainSeconds) ? self.gate.drainSeconds : 30) + 20",message="pod.terminationGracePeriodSeconds must be at least gate.drainSeconds (default 30) and 20 more: a pod that ends waits 5 s for endpoints and then drains, and server and gate get 15 s to exit"
// +kubebuilder:validation:XValidation:rule="!has(self.profile) || self.profile != 'Quilt' || ((!has(self.volumes) || self.volumes.all(v, !(v.name in ['tmp', 'run']))) && (!has(self.volumeMounts) || self.volumeMounts.all(m, !(m.mountPath in ['/tmp', '/run']))))",message="profile Quilt mounts memory at /tmp and /run itself, as volumes tmp and run: take other names and paths"
// +kubebuilder:validation:XValidation:rule="!has(self.volumeMounts) || self.volumeMounts.all(m, (has(self.volumes) && self.volumes.exists(v, v.name == m.name)) || (has(self.profile) && self.profile == 'Quilt' && m.name in ['tmp', 'run']))",message="each of volumeMounts names one of volumes"
// +kubebuilder:validation:XValidation:rule="!has(self.profile) || self.profile != 'Quilt' || ([has(self.command) ? self.command : [], has(self.args) ? self.args : []].all(l, l.all(a, !a.matches('^(legacy|quilt3)$|(^|\\\\s)--[a-z]+[\\\\s=]+(legacy|quilt3)(\\\\s|$)'))))",message="profile Quilt runs the server in multiuser mode, and its arguments --deployment legacy and --backend quilt3 would win over that and open it: remove them from command and args"
// +kubebuilder:validation:XValidation:rule="!has(self.quilt) || (has(self.profile) && self.profile == 'Quilt')",message="quilt is for profile Quilt: remove it, or set profile to Quilt"
// +kubebuilder:validation:XValidation:rule="!has(self.quilt) || self.quilt.release != 'UpTo014' || (has(self.auth) && has(self.auth.providers) && self.auth.providers.size() == 1 && self.auth.providers.all(p, has(p.keys.secret) && p.keys.secret.format == 'SharedSecret' && !has(p.issuer) && !has(p.audiences) && (!has(p.algorithms) || p.algorithms == ['HS256'])))",message="quilt.release UpTo014 needs auth.providers to be one, with keys of type Secret and format SharedSecret, without issuer, audiences and any algorithm but HS256: these servers accept no other tokens"
// +kubebuilder:validation:XValidation:rule="!has(self.quilt) || self.quilt.release != 'UpTo014' || !has(self.auth) || !has(self.auth.forward) || !has(self.auth.forward.authorization) || self.auth.forward.authorization == 'Forward'",message="quilt.release UpTo014 needs auth.forward.authorization to be Forward, its default: these servers verify the token as well"
// +kubebuilder:validation:XValidation:rule="!has(self.quilt) || self.quilt.release != 'UpTo014' || !has(self.env) || !self.env.exists(e, e.name in ['MCP_JWT_SECRET', 'MCP_JWT_SECRET_SSM_PARAMETER', 'MCP_JWT_ISSUER', 'MCP_JWT_AUDIENCE'])",message="quilt.release UpTo014 sets MCP_JWT_SECRET, MCP_JWT_SECRET_SSM_PARAMETER, MCP_JWT_ISSUER and MCP_JWT_AUDIENCE itself: remove them from env"
// +kubebuilder:validation:XValidation:rule="!has(self.authProbe) || !has(self.authProbe.claims) || (has(self.auth) && has(self.auth.providers) && self.auth.providers.exists(p, has(p.keys.secret) && p.keys.secret.format == 'SharedSecret'))",message="authProbe.claims are those of tokens signed with a shared secret, and no provider has keys of format SharedSecret: remove them"
// +kubebuilder:validation:XValidation:rule="!has(self.authProbe) || !has(self.authProbe.claims) || !has(self.auth) || !has(self.auth.providers) || self.auth.providers.all(p, !has(p.keys.secret) || p.keys.secret.format != 'SharedSecret' || (has(p.identityClaims) ? p.identityClaims : [has(self.profile) && self.profile == 'Quilt' ? 'id' : 'sub']).all(c, c in self.authProbe.claims))",message="authProbe.claims must have the identityClaims of every provider of shared secrets (default: sub; for profile Quilt: id): a token that does not say whose it is is refused"
// +kubebuilder:validation:XValidation:rule="!has(self.gate) || !has(self.gate.healthPaths) || self.gate.healthPaths.all(p, !([p, p + '/'].exists(q, q == (has(self.path) ? self.path : '/mcp') || q == (has(self.path) ? self.path : '/mcp') + '/')) && (!has(self.gate.extraPaths) || !(p in self.gate.extraPaths)))",message="gate.healthPaths are answered to anybody: none may be path (default /mcp) or one of gate.extraPaths, which are behind the lock"
type MCPServerSpec struct {
	// image is the container image of the MCP server. It must serve streamable HTTP.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	Image string `json:"image"`

	// imagePullPolicy says when to pull the image. Default: as for any container, Always for the tag latest, else
	// IfNotPresent.
	// +optional
	// +kubebuilder:validation:Enum=Always;IfNotPresent;Never
	ImagePullPolicy corev1.PullPolicy `json:"imagePullPolicy,omitempty"`

	// imagePullSecrets name Secrets of this namespace with registry credentials.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:XValidation:rule="self.all(s, s.name != '')",message="each of imagePullSecrets needs a name"
	ImagePullSecrets []corev1.LocalObjectReference `json:"imagePullSecrets,omitempty"`

	// profile presets how a known server is put into multiuser mode, and its defaults. Default: Generic.
	// +optional
	Profile Profile `json:"profile,omitempty"`

	// quilt says more about a server of profile Quilt.
	// +optional
	Quilt *Quilt `json:"quilt,omitempty"`

	// command replaces the image's entrypoint.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=128
	// +kubebuilder:validation:items:MaxLength=4096
	Command []string `json:"command,omitempty"`

	// args replace the image's command.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=256
	// +kubebuilder:validation:items:MaxLength=4096
	Args []string `json:"args,omitempty"`

	// env sets environment variables of the server.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=256
	Env []corev1.EnvVar `json:"env,omitempty"`

	// envFrom sets environment variables of the server from ConfigMaps and Secrets. env, multiuser.env and the profile
	// win over it.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=32
	EnvFrom []corev1.EnvFromSource `json:"envFrom,omitempty"`

	// resources of the server's container. Default: those of the profile; Generic has none.
	// +optional
	Resources *corev1.ResourceRequirements `json:"resources,omitempty"`

	// volumes of the pods, for the server. Default: those of the profile.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=32
	Volumes []Volume `json:"volumes,omitempty"`

	// volumeMounts of the server's container.
	// +optional
	// +listType=map
	// +listMapKey=mountPath
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:XValidation:rule="self.all(m, !m.name.startsWith('gatehouse-'))",message="volumes whose names begin with gatehouse- are the gate's, and mounted there only"
	VolumeMounts []corev1.VolumeMount `json:"volumeMounts,omitempty"`

	// port is the server's own port, reached by the gate over the pod's loopback. Default: 8000.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	Port *int32 `json:"port,omitempty"`

	// path of the MCP endpoint, the same at the gate. Default: /mcp. Every other path is closed.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:XValidation:rule="self.matches('^/[A-Za-z0-9._~!$&()*+,=:@/-]*$') && !self.contains('//') && !self.contains('/..') && !self.contains('/./')",message="path must be an absolute path without query, escapes, '//' or dot segments, such as /mcp"
	// +kubebuilder:validation:XValidation:rule="self != '/sse' && !self.endsWith('/sse')",message="/sse is the endpoint of the deprecated HTTP+SSE transport, which the gate does not carry: use the server's streamable HTTP endpoint, usually /mcp"
	Path string `json:"path,omitempty"`

	// healthPath answers a GET without a token below 500 while the server is well. It enables the liveness probe of the
	// server. Default: none for Generic (an accepted connection counts as started), /health for Quilt.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:Pattern=`^/[A-Za-z0-9._~!$&()*+,=:@/-]*$`
	HealthPath string `json:"healthPath,omitempty"`

	// startupSeconds is how long the server may take to start, until it accepts connections on port or, with healthPath,
	// answers that. Then its container is restarted. Default: 120.
	// +optional
	// +kubebuilder:validation:Minimum=10
	// +kubebuilder:validation:Maximum=3600
	StartupSeconds *int32 `json:"startupSeconds,omitempty"`

	// multiuser says how a Generic server is put into multiuser mode.
	// +optional
	Multiuser *Multiuser `json:"multiuser,omitempty"`

	// replicas is the number of pods; scale here, not on the Deployment. 0 parks the server. Default: 1.
	// +optional
	// +kubebuilder:default=1
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1000
	Replicas *int32 `json:"replicas,omitempty"`

	// commonLabels are on every object of this server, and on its pods, besides the operator's own: for policies that ask for
	// labels, and for accounting. They select nothing. pod.labels win over them. A change makes new pods.
	// +optional
	// +kubebuilder:validation:MaxProperties=32
	// +kubebuilder:validation:XValidation:rule="self.all(k, !k.startsWith('mcp.gatehouse.dev/') && !(k in ['app.kubernetes.io/name', 'app.kubernetes.io/instance', 'app.kubernetes.io/managed-by', 'pod-template-hash']))",message="commonLabels may not begin with mcp.gatehouse.dev/, nor be app.kubernetes.io/name, instance or managed-by, or pod-template-hash: those are set already"
	CommonLabels map[string]string `json:"commonLabels,omitempty"`

	// commonAnnotations are on every object of this server, and on its pods, besides the operator's own. pod.annotations and
	// service.annotations win over them. A change makes new pods.
	// +optional
	// +kubebuilder:validation:MaxProperties=32
	// +kubebuilder:validation:XValidation:rule="self.all(k, !k.startsWith('mcp.gatehouse.dev/') && !k.startsWith('container.apparmor.security.beta.kubernetes.io/') && !(k in ['kubectl.kubernetes.io/default-container', 'kubectl.kubernetes.io/last-applied-configuration']))",message="commonAnnotations may not begin with mcp.gatehouse.dev/ or container.apparmor.security.beta.kubernetes.io/, nor be kubectl.kubernetes.io/default-container or last-applied-configuration"
	CommonAnnotations map[string]string `json:"commonAnnotations,omitempty"`

	// pod says what may be said about the pods: where they run, as whom, and how they are labelled.
	// +optional
	Pod *Pod `json:"pod,omitempty"`

	// gate configures the sidecar that stands in front of the server. Nothing in it opens the gate.
	// +optional
	Gate *Gate `json:"gate,omitempty"`

	// auth says whose tokens are accepted. Default: one provider named "managed", whose key Gatehouse makes and keeps.
	// +optional
	Auth *Auth `json:"auth,omitempty"`

	// authProbe says how the lock is tried.
	// +optional
	AuthProbe *AuthProbe `json:"authProbe,omitempty"`

	// network says who may connect to the pods, and where they may connect to.
	// +optional
	Network *Network `json:"network,omitempty"`

	// service configures the Service that leads to the gate.
	// +optional
	Service *Service `json:"service,omitempty"`

	// route leads from gateways of the Gateway API to the Service. It needs the HTTPRoute of that API in the cluster.
	// +optional
	Route *Route `json:"route,omitempty"`
}

// Profile is a preset for a known kind of server.
//
// +kubebuilder:validation:Enum=Generic;Quilt
type Profile string

const (
	// ProfileGeneric assumes nothing about the server.
	ProfileGeneric Profile = "Generic"
	// ProfileQuilt runs quilt-mcp-server: multiuser mode on every version, loopback bind, read-only root filesystem,
	// no fallback identity, and the verified token passed on, which that server needs to act for its user.
	ProfileQuilt Profile = "Quilt"
)

// Quilt says more about quilt-mcp-server.
type Quilt struct {
	// release says of which releases the image is. Default: From015.
	// +required
	Release QuiltRelease `json:"release"`
}

// QuiltRelease is a range of releases of quilt-mcp-server.
//
// +kubebuilder:validation:Enum=From015;UpTo014
type QuiltRelease string

const (
	// QuiltFrom015: the server takes any token that it is given, and leaves it to the gate to verify them.
	QuiltFrom015 QuiltRelease = "From015"
	// QuiltUpTo014: the server verifies tokens itself, as HS256, and does not start without the secret. It gets the first of
	// the keys of auth.providers[0] as the variable MCP_JWT_SECRET, and can then make tokens as well as check them.
	QuiltUpTo014 QuiltRelease = "UpTo014"
)

// Multiuser says how a server is put into multiuser mode.
type Multiuser struct {
	// env is set on the server and wins over envFrom.
	// +required
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	Env []NameValue `json:"env"`
}

// NameValue is an environment variable with a literal value.
type NameValue struct {
	// name of the variable.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:Pattern=`^[-._a-zA-Z][-._a-zA-Z0-9]*$`
	Name string `json:"name"`
	// value of the variable.
	// +required
	// +kubebuilder:validation:MaxLength=4096
	Value string `json:"value"`
}

// Gate configures the sidecar.
type Gate struct {
	// port that MCP clients connect to, on the pod and on the Service. Default: 8080.
	// +optional
	// +kubebuilder:validation:Minimum=1024
	// +kubebuilder:validation:Maximum=65535
	Port *int32 `json:"port,omitempty"`

	// adminPort serves the kubelet's probes, metrics and the operator. Default: 9090.
	// +optional
	// +kubebuilder:validation:Minimum=1024
	// +kubebuilder:validation:Maximum=65535
	AdminPort *int32 `json:"adminPort,omitempty"`

	// resources of the sidecar. Default: requests of 10m CPU and 32Mi memory, a memory limit of 256Mi.
	// +optional
	Resources *corev1.ResourceRequirements `json:"resources,omitempty"`

	// drainSeconds is how long a pod that ends waits at most for requests in flight. Default: 30.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=3600
	DrainSeconds *int32 `json:"drainSeconds,omitempty"`

	// tls has clients served over TLS, and the address begin with https. It makes new pods. Default: plain HTTP, for clients
	// inside the cluster or behind something that ends TLS.
	// +optional
	TLS *GateTLS `json:"tls,omitempty"`

	// logLevel says how much the gate tells of its own doings, on stderr. Default: Info.
	// +optional
	LogLevel LogLevel `json:"logLevel,omitempty"`

	// trailingSlash says whether the MCP endpoint may be called with one more slash at its end. Default: Distinct.
	// +optional
	TrailingSlash TrailingSlash `json:"trailingSlash,omitempty"`

	// extraPaths are further paths that are passed on, as they are here and with any method, for whoever has a good token
	// with the requiredScopes. Rules do not see into them. Default: none.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	// +kubebuilder:validation:items:MaxLength=256
	// +kubebuilder:validation:items:Pattern=`^/[A-Za-z0-9._~!$&()*+,=:@/-]*$`
	// +kubebuilder:validation:XValidation:rule="self.all(p, !p.startsWith('/.well-known/oauth-protected-resource') && !p.contains('//') && !p.contains('/../') && !p.contains('/./') && !p.endsWith('/..') && !p.endsWith('/.'))",message="extraPaths must be absolute paths without '//' and dot segments, and not those of the gate's metadata"
	ExtraPaths []string `json:"extraPaths,omitempty"`

	// healthPaths are paths at which the gate tells anybody whether it is ready, for load balancers: 200 or 503 to a GET or
	// HEAD, without a token. The server is not asked. Default: none for Generic; /, /health and /healthz for Quilt, as far as
	// they are not the server's.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	// +kubebuilder:validation:items:MaxLength=256
	// +kubebuilder:validation:items:Pattern=`^/[A-Za-z0-9._~!$&()*+,=:@/-]*$`
	// +kubebuilder:validation:XValidation:rule="self.all(p, !p.startsWith('/.well-known/oauth-protected-resource') && !p.contains('//') && !p.contains('/../') && !p.contains('/./') && !p.endsWith('/..') && !p.endsWith('/.'))",message="healthPaths must be absolute paths without '//' and dot segments, and not those of the gate's metadata"
	HealthPaths []string `json:"healthPaths,omitempty"`

	// allowedHosts are further host names, without port, by which clients may call the server: those of an ingress or
	// a gateway. The names of the Service, IP addresses and localhost are always allowed. Any other is answered 421.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=32
	// +kubebuilder:validation:items:MaxLength=253
	// +kubebuilder:validation:items:Pattern=`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`
	AllowedHosts []string `json:"allowedHosts,omitempty"`

	// allowedOrigins are the origins, such as https://app.example.com, from which browsers may call. Any other is
	// answered 403. Requests without an Origin are not judged by it.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=32
	// +kubebuilder:validation:items:MaxLength=300
	// +kubebuilder:validation:items:Pattern=`^[a-z][a-z0-9+.-]*://[^/?#@\s]+$`
	AllowedOrigins []string `json:"allowedOrigins,omitempty"`
}
