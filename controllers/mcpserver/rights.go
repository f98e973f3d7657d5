package mcpserver

// The rights of this controller, each with its reason; docs/rbac.md tells them to administrators. What is watched is also
// listed where an API server does not stream its lists.
//
// MCPServers are what it looks after; nothing of them but their status is ever written.
// +kubebuilder:rbac:groups=mcp.gatehouse.dev,resources=mcpservers,verbs=list;watch
// +kubebuilder:rbac:groups=mcp.gatehouse.dev,resources=mcpservers/status,verbs=patch
//
// Owner references that block deletion take this where OwnerReferencesPermissionEnforcement is on, as on OpenShift.
// +kubebuilder:rbac:groups=mcp.gatehouse.dev,resources=mcpservers/finalizers,verbs=update
//
// Children are created, and patched by server-side apply. They go with their owner, so that nothing is deleted. Get tells
// whose an object is that is there already, and reads Secrets and ConfigMaps that users name.
// +kubebuilder:rbac:groups="",resources=secrets;configmaps;serviceaccounts;services,verbs=get;list;watch;create;patch
// +kubebuilder:rbac:groups=apps,resources=deployments,verbs=get;list;watch;create;patch
// +kubebuilder:rbac:groups=apps,resources=replicasets,verbs=list;watch
// +kubebuilder:rbac:groups=networking.k8s.io,resources=networkpolicies,verbs=get;list;watch;create;patch
//
// These two are deleted as well, when a spec asks for them no more.
// +kubebuilder:rbac:groups=policy,resources=poddisruptionbudgets,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=gateway.networking.k8s.io,resources=httproutes,verbs=get;list;watch;create;patch;delete
//
// Pods are annotated, which makes the kubelet look at changed keys.
// +kubebuilder:rbac:groups="",resources=pods,verbs=list;watch;patch
//
// The cluster's own issuer and its keys, for providers of type Cluster.
// +kubebuilder:rbac:urls=/.well-known/openid-configuration;/openid/v1/jwks,verbs=get
//
// Events tell what has become of a server; one that repeats is counted by a patch.
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch
