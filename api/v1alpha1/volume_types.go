package v1alpha1

import corev1 "k8s.io/api/core/v1"

// Volume is a volume of the pods. Its sources are those that the restricted Pod Security Standard allows, and images;
// their fields are those of a pod's volume.
//
// +kubebuilder:validation:XValidation:rule="[has(self.configMap), has(self.secret), has(self.projected), has(self.downwardAPI), has(self.emptyDir), has(self.persistentVolumeClaim), has(self.ephemeral), has(self.csi), has(self.image)].filter(s, s).size() == 1",message="a volume has exactly one source: configMap, secret, projected, downwardAPI, emptyDir, persistentVolumeClaim, ephemeral, csi or image; others, such as hostPath, are refused"
type Volume struct {
	// name of the volume. Those that begin with gatehouse- are the gate's.
	// +required
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	// +kubebuilder:validation:XValidation:rule="!self.startsWith('gatehouse-')",message="names of volumes may not begin with gatehouse-: those are the gate's"
	Name string `json:"name"`

	// configMap is a ConfigMap as files.
	// +optional
	ConfigMap *corev1.ConfigMapVolumeSource `json:"configMap,omitempty"`
	// secret is a Secret as files. Those of the lock are refused.
	// +optional
	Secret *corev1.SecretVolumeSource `json:"secret,omitempty"`
	// projected are several sources in one folder. Tokens of the service account need pod.serviceAccountName.
	// +optional
	Projected *corev1.ProjectedVolumeSource `json:"projected,omitempty"`
	// downwardAPI is what the pod knows of itself, as files.
	// +optional
	DownwardAPI *corev1.DownwardAPIVolumeSource `json:"downwardAPI,omitempty"`
	// emptyDir is an empty folder that goes with the pod.
	// +optional
	EmptyDir *corev1.EmptyDirVolumeSource `json:"emptyDir,omitempty"`
	// persistentVolumeClaim is a claim of this namespace. All replicas share it.
	// +optional
	PersistentVolumeClaim *corev1.PersistentVolumeClaimVolumeSource `json:"persistentVolumeClaim,omitempty"`
	// ephemeral is a claim that is made for each pod, and goes with it.
	// +optional
	Ephemeral *corev1.EphemeralVolumeSource `json:"ephemeral,omitempty"`
	// csi is a volume of a CSI driver that goes with the pod.
	// +optional
	CSI *corev1.CSIVolumeSource `json:"csi,omitempty"`
	// image is the content of an image.
	// +optional
	Image *corev1.ImageVolumeSource `json:"image,omitempty"`
}
