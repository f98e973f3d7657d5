package v1alpha1

import corev1 "k8s.io/api/core/v1"

// AnnotationRestartedAt, on an MCPServer, is copied to its pod template: a new value replaces all pods, one after the
// other, as `kubectl rollout restart` does for a Deployment.
const AnnotationRestartedAt = "mcp.gatehouse.dev/restartedAt"

// Pod is what may be said about the pods. What could unlock them has no field here.
type Pod struct {
	// labels of the pods, besides those of the operator.
	// +optional
	// +kubebuilder:validation:MaxProperties=32
	// +kubebuilder:validation:XValidation:rule="self.all(k, !k.startsWith('mcp.gatehouse.dev/') && !(k in ['app.kubernetes.io/name', 'app.kubernetes.io/instance', 'app.kubernetes.io/managed-by', 'pod-template-hash']))",message="labels may not begin with mcp.gatehouse.dev/, nor be app.kubernetes.io/name, instance or managed-by, or pod-template-hash: those are set already"
	Labels map[string]string `json:"labels,omitempty"`

	// annotations of the pods, besides those of the operator.
	// +optional
	// +kubebuilder:validation:MaxProperties=64
	// +kubebuilder:validation:XValidation:rule="self.all(k, !k.startsWith('mcp.gatehouse.dev/') && !k.startsWith('container.apparmor.security.beta.kubernetes.io/') && k != 'kubectl.kubernetes.io/default-container')",message="annotations may not begin with mcp.gatehouse.dev/ or container.apparmor.security.beta.kubernetes.io/, nor be kubectl.kubernetes.io/default-container"
	Annotations map[string]string `json:"annotations,omitempty"`

	// serviceAccountName is the identity of the pods: an account that you make, for instance one that a cloud gives
	// rights to. Its token is not mounted; a webhook may project one for a cloud into the server's container. Default:
	// an account of the MCPServer's name, which has no rights.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`
	ServiceAccountName string `json:"serviceAccountName,omitempty"`

	// nodeSelector are labels that a node must have.
	// +optional
	// +mapType=atomic
	// +kubebuilder:validation:MaxProperties=32
	NodeSelector map[string]string `json:"nodeSelector,omitempty"`

	// affinity of the pods to nodes and to other pods.
	// +optional
	Affinity *corev1.Affinity `json:"affinity,omitempty"`

	// tolerations of the pods.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=32
	Tolerations []corev1.Toleration `json:"tolerations,omitempty"`

	// topologySpreadConstraints say how the pods spread. One without a labelSelector counts the pods of this MCPServer.
	// Default: over nodes, where possible, when there is more than one replica.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=8
	TopologySpreadConstraints []corev1.TopologySpreadConstraint `json:"topologySpreadConstraints,omitempty"`

	// priorityClassName of the pods.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`
	PriorityClassName string `json:"priorityClassName,omitempty"`

	// runtimeClassName is the container runtime of the pods, such as a sandboxed one.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`
	RuntimeClassName string `json:"runtimeClassName,omitempty"`

	// securityContext says as whom the server runs. All else is as the restricted Pod Security Standard wants it.
	// +optional
	SecurityContext *PodSecurityContext `json:"securityContext,omitempty"`

	// terminationGracePeriodSeconds is how long a pod that ends may take. Default, and least value: 20 more than
	// gate.drainSeconds. What is above it, a server that is slow to exit may use.
	// +optional
	// +kubebuilder:validation:Minimum=20
	// +kubebuilder:validation:Maximum=86400
	TerminationGracePeriodSeconds *int64 `json:"terminationGracePeriodSeconds,omitempty"`
}

// PodSecurityContext says as whom the server runs. Root is refused, and so is 65533, which the gate runs as.
type PodSecurityContext struct {
	// runAsUser is the user of the server. Default: that of the image, which must not be root; 65532 for Quilt.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=2147483647
	// +kubebuilder:validation:XValidation:rule="self != 65533",message="the gate runs as 65533: take another user for the server"
	RunAsUser *int64 `json:"runAsUser,omitempty"`
	// runAsGroup is the primary group of the server. Default: that of the image; 65532 for Quilt.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=2147483647
	// +kubebuilder:validation:XValidation:rule="self != 65533",message="the gate runs as 65533: take another group for the server"
	RunAsGroup *int64 `json:"runAsGroup,omitempty"`
	// fsGroup owns the files of volumes that can be given to a group. Default: none; 65532 for Quilt.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=2147483647
	// +kubebuilder:validation:XValidation:rule="self != 65533",message="the gate runs as 65533: take another group for the server"
	FSGroup *int64 `json:"fsGroup,omitempty"`
	// fsGroupChangePolicy says when to give the files to fsGroup. Default: Always.
	// +optional
	// +kubebuilder:validation:Enum=Always;OnRootMismatch
	FSGroupChangePolicy corev1.PodFSGroupChangePolicy `json:"fsGroupChangePolicy,omitempty"`
	// supplementalGroups are further groups.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=32
	// +kubebuilder:validation:items:Minimum=0
	// +kubebuilder:validation:items:Maximum=2147483647
	// +kubebuilder:validation:XValidation:rule="!self.exists(g, g == 65533)",message="the gate runs as 65533: take another group for the server"
	SupplementalGroups []int64 `json:"supplementalGroups,omitempty"`
}
