package statusreport

import (
	"cmp"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

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
	// Foreign: the pod has the server's label, and was not made for this MCPServer.
	Foreign bool `json:"foreign,omitempty"`
	// Trouble is why a container does not run, in the kubelet's word; empty when all do.
	Trouble string `json:"trouble,omitempty"`
}

func podOf(pod corev1.Pod, server types.UID) Pod {
	out := Pod{
		Name: pod.Name, Node: pod.Spec.NodeName, Phase: string(pod.Status.Phase), Proven: corev1.ConditionUnknown,
		Created: pod.CreationTimestamp, Foreign: pod.Labels[v1alpha1.LabelInstance] != string(server),
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
