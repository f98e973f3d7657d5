package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// MCPServerStatus says what runs, and whether its lock holds.
type MCPServerStatus struct {
	// conditions say how it stands: Ready sums up Accepted, KeysReady, Available and AuthHealthy; Reconciling and
	// Stalled are present only while True.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// observedGeneration is the generation of the spec that this status is about.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// address is where clients reach the gate, by the spec that it carries out: through the route, once a gateway has accepted
	// it; else from inside the cluster. There is none before a spec was carried out.
	// +optional
	Address *Address `json:"address,omitempty"`

	// replicas is the number of pods that exist.
	// +optional
	Replicas int32 `json:"replicas,omitempty"`

	// readyReplicas is the number of pods that take traffic.
	// +optional
	ReadyReplicas int32 `json:"readyReplicas"`

	// selector finds the pods, for the scale subresource.
	// +optional
	Selector string `json:"selector,omitempty"`

	// gateImage is the image of the gate in the current pod template.
	// +optional
	GateImage string `json:"gateImage,omitempty"`

	// formerGateImages are those of the templates before it, the newest first. A pod whose gate has neither gateImage nor one
	// of these is not believed, whatever made it.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=4
	FormerGateImages []string `json:"formerGateImages,omitempty"`

	// template is the digest of the record on the Deployment of the pod template that the operator applied last. Others may
	// write to the Deployment; a record that is not this one is not believed.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	Template string `json:"template,omitempty"`

	// images are those that the containers of the server run, by their digests: more than one while pods are replaced, and
	// where a tag such as latest was moved in between.
	// +optional
	// +listType=map
	// +listMapKey=imageID
	// +kubebuilder:validation:MaxItems=16
	Images []ImageStatus `json:"images,omitempty"`

	// keys are the keys that the gate is told to accept, those that it must refuse, and the last ones that every pod was
	// seen to refuse. Never key material.
	// +optional
	// +listType=map
	// +listMapKey=provider
	// +listMapKey=kid
	// +kubebuilder:validation:MaxItems=64
	Keys []KeyStatus `json:"keys,omitempty"`

	// renamed are the Secrets and ConfigMaps of this server that go by another name than they had, because they could not be
	// written under it any more, or nodes did not read them again. The pods mount those of the new names.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=32
	Renamed []RenamedObject `json:"renamed,omitempty"`

	// authHealth is the evidence behind the condition AuthHealthy.
	// +optional
	AuthHealth *AuthHealth `json:"authHealth,omitempty"`

	// serverInfo is what the server says of itself in the MCP handshake.
	// +optional
	ServerInfo *ServerInfo `json:"serverInfo,omitempty"`
}

// Address is where clients reach the gate.
type Address struct {
	// url of the MCP endpoint.
	// +optional
	URL string `json:"url,omitempty"`
}

// ImageStatus is an image that pods run.
type ImageStatus struct {
	// imageID is what the container runtime says: most often the image's name with its digest.
	// +required
	// +kubebuilder:validation:MaxLength=1024
	ImageID string `json:"imageID"`
	// pods that run it.
	// +required
	Pods int32 `json:"pods"`
}

// RenamedObject is a Secret or ConfigMap that goes by another name.
type RenamedObject struct {
	// name that it had. What is there by this name now is not used.
	// +required
	Name string `json:"name"`
	// newName is the one that it has since.
	// +required
	NewName string `json:"newName"`
	// since is when it got the new name.
	// +required
	Since metav1.Time `json:"since,omitzero"`
}

// KeyStatus names a verification key.
type KeyStatus struct {
	// provider whose tokens the key verifies.
	// +required
	Provider string `json:"provider"`
	// kid is the key's id in tokens: its RFC 7638 thumbprint.
	// +required
	KID string `json:"kid"`
	// algorithm that the key serves.
	// +optional
	Algorithm string `json:"algorithm,omitempty"`
	// phase is where a Managed key is in its life. Other keys have none.
	// +optional
	Phase KeyPhase `json:"phase,omitempty"`
	// since is when it entered the phase.
	// +optional
	Since metav1.Time `json:"since,omitzero"`
	// observedPods is how many pods were seen to do what the phase waits for: to accept a Published key, to refuse a
	// Retired or Revoked one. Of a key without a phase it is how many pods have loaded it. Absent where nothing is waited
	// for.
	// +optional
	ObservedPods *int32 `json:"observedPods,omitempty"`
	// refusedTime is when every pod had been seen to refuse a Retired or Revoked key.
	// +optional
	RefusedTime metav1.Time `json:"refusedTime,omitzero"`
}

// KeyPhase is where a Managed key is in its life.
//
// +kubebuilder:validation:Enum=Published;Signing;Retiring;Retired;Revoked
type KeyPhase string

const (
	// KeyPublished: pods are to accept the key, and nothing is signed with it yet.
	KeyPublished KeyPhase = "Published"
	// KeySigning: new tokens are signed with the key. Every pod was seen to accept it, unless it took the place of a revoked
	// one.
	KeySigning KeyPhase = "Signing"
	// KeyRetiring: the key signs nothing any more, and verifies for as long as its tokens can live.
	KeyRetiring KeyPhase = "Retiring"
	// KeyRetired: the key is no longer published; pods are to refuse it.
	KeyRetired KeyPhase = "Retired"
	// KeyRevoked: the key was withdrawn at once, by the annotation mcp.gatehouse.dev/revoke-key.
	KeyRevoked KeyPhase = "Revoked"
)

// AuthHealth is the evidence behind the condition AuthHealthy. While the operator runs it is written on every change
// and, while rounds come to a result, at least every ten minutes or every interval, whichever is longer. A lastProbeTime
// older than twice that means that nobody has looked since.
type AuthHealth struct {
	// lastProbeTime is when the last round ended that this evidence is from.
	// +optional
	LastProbeTime metav1.Time `json:"lastProbeTime,omitzero"`
	// pods is the number of pods that count: ready ones, and any that was seen open.
	// +optional
	Pods int32 `json:"pods"`
	// provenPods is how many of them refused every bad token for the right reason and let the good one in.
	// +optional
	ProvenPods int32 `json:"provenPods"`
	// networkPolicy tells whether this cluster enforces NetworkPolicies, as seen from the operator: Enforced, NotEnforced or
	// Unknown. Where they are not enforced, a server that does not listen on loopback alone can be reached past its gate.
	// +optional
	NetworkPolicy NetworkPolicyEnforcement `json:"networkPolicy,omitempty"`
	// failures are the failing pods and cases, the worst first, at most ten.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=10
	Failures []AuthFailure `json:"failures,omitempty"`
	// bareServer is what the server does without its gate, if spec.authProbe.bareServer has it asked. It says nothing about
	// the lock.
	// +optional
	BareServer BareServerResult `json:"bareServer,omitempty"`
}

// NetworkPolicyEnforcement tells whether NetworkPolicies are enforced.
// +kubebuilder:validation:Enum=Enforced;NotEnforced;Unknown
type NetworkPolicyEnforcement string

// What is known of the enforcement of NetworkPolicies.
const (
	// NetworkPolicyEnforced: a port that the policy opens to nobody was out of the operator's reach.
	NetworkPolicyEnforced NetworkPolicyEnforcement = "Enforced"
	// NetworkPolicyNotEnforced: the operator reached that port.
	NetworkPolicyNotEnforced NetworkPolicyEnforcement = "NotEnforced"
	// NetworkPolicyUnknown: it could not be found out.
	NetworkPolicyUnknown NetworkPolicyEnforcement = "Unknown"
)

// BareServerResult is what a server does, without its gate, with requests without a token or with a malformed one.
//
//   - NotAsked: it was not asked
//   - Refuses: it refuses both
//   - Open: it lets in whoever comes
//   - AnyBearer: it wants a token, and takes any
//   - Resets: it ends the connection without an answer
//   - Exits: it gave no proper answer, and refused connections within five seconds
//   - Hangs: no answer came within fifteen seconds, while it answered another request
//   - Unclear: the answer was neither a refusal nor a result, or it is not known what came of the question
//
// +kubebuilder:validation:Enum=NotAsked;Refuses;Open;AnyBearer;Resets;Exits;Hangs;Unclear
type BareServerResult string

// AuthFailure is one case that one pod failed.
type AuthFailure struct {
	// pod is the pod's name, or the address to which the Service sends requests.
	// +required
	Pod string `json:"pod"`
	// case is what was tried: a case of the prober, such as none, malformed, wrong-key or valid (the token of the request);
	// or what was looked at: identity, listeners, endpoints, pod specification, pod owner, age of the proof, or the part
	// of the gate that is not as it must be.
	// +required
	Case string `json:"case"`
	// expected is what a lock that holds would have answered.
	// +optional
	Expected string `json:"expected,omitempty"`
	// seen is what came back.
	// +optional
	Seen string `json:"seen,omitempty"`
}

// ServerInfo is what the server says of itself in the MCP handshake.
type ServerInfo struct {
	// name of the implementation.
	// +optional
	// +kubebuilder:validation:MaxLength=256
	Name string `json:"name,omitempty"`
	// version of the implementation.
	// +optional
	// +kubebuilder:validation:MaxLength=256
	Version string `json:"version,omitempty"`
	// protocolVersion is the MCP revision that the server chose.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	ProtocolVersion string `json:"protocolVersion,omitempty"`
}
