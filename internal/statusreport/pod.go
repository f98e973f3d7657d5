package statusreport

import (
	"cmp"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
)

// Pod is a pod as far as the lock is concerned.
type Pod struct {
	Name string `json:"name"`
	Node string `json:"node,omitempty"`
	// Phase is "Terminating" for a pod that is being deleted.
	Phase string `json:"phase"`
	Ready bool   `json:"ready"`
	// Proven is the readiness gate: Unknown when the lock was not seen yet.
	Proven corev1.ConditionStatus `json:"proven"`
	// ProvenReason is why the gate is as it is.
	ProvenReason string      `json:"provenReason,omitempty"`
	Restarts     int32       `json:"restarts"`
	Created      metav1.Time `json:"created"`
	// Foreign: the pod wears the labels by which the Service finds its pods, and the server's Deployment did not make it.
	Foreign bool `json:"foreign,omitempty"`
	// Former: the pod is of an earlier MCPServer of this name. The Service sends it nothing.
	Former bool `json:"former,omitempty"`
	// MadeBy is the object that made a foreign pod, as "Kind name"; empty if it was made by hand.
	MadeBy string `json:"madeBy,omitempty"`
	// Trouble is why a container does not run, in the kubelet's word; empty when all do.
	Trouble string `json:"trouble,omitempty"`
}

func podOf(pod corev1.Pod, server v1alpha1.MCPServer) Pod {
	out := Pod{
		Name: pod.Name, Node: pod.Spec.NodeName, Phase: string(pod.Status.Phase), Proven: corev1.ConditionUnknown,
		Created: pod.CreationTimestamp, Former: pod.Labels[v1alpha1.LabelInstance] != string(server.UID),
	}
	if maker := metav1.GetControllerOf(&pod); !out.Former && !isOurs(pod, maker, server.Name) {
		out.Foreign = true
		if maker != nil {
			out.MadeBy = maker.Kind + " " + maker.Name
		}
	}
	if pod.DeletionTimestamp != nil {
		out.Phase = "Terminating"
	}
	for _, condition := range pod.Status.Conditions {
		switch condition.Type {
		case corev1.PodReady:
			out.Ready = condition.Status == corev1.ConditionTrue
		case v1alpha1.ConditionPodAuthProven:
			out.Proven, out.ProvenReason = condition.Status, condition.Reason
		default:
		}
	}
	for _, status := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
		out.Restarts += status.RestartCount
		if out.Trouble == "" {
			out.Trouble = trouble(status)
		}
	}
	return out
}

// isOurs reports whether a pod comes from the Deployment of the server, as its name and those of its maker tell: ReplicaSets
// of a Deployment are called by it and by the hash of their template. Whether that is so the operator looks up; whoever
// reads this may not be allowed to.
func isOurs(pod corev1.Pod, maker *metav1.OwnerReference, server string) bool {
	return maker != nil && maker.Kind == "ReplicaSet" && maker.Name == server+"-"+pod.Labels[appsv1.DefaultDeploymentUniqueLabelKey]
}

func trouble(status corev1.ContainerStatus) string {
	switch {
	case status.State.Waiting != nil && status.State.Waiting.Reason != "":
		return status.Name + ": " + status.State.Waiting.Reason
	case status.State.Terminated != nil:
		return status.Name + ": " + cmp.Or(status.State.Terminated.Reason, "ended")
	default:
		return ""
	}
}
