package keyturn

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/mcp-gatehouse/gatehouse/internal/conditions"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/keyobservation"
)

// Pods are the pods of a server, with what they were seen to do with keys, at a time.
type Pods struct {
	All      []corev1.Pod
	Observed *keyobservation.Store
	At       time.Time
}

// isAsked reports whether a pod is one that the prober asks. Anyone may give a pod our labels; what no ReplicaSet made is
// never sent a token, and so never seen.
func isAsked(pod corev1.Pod) bool {
	made := metav1.GetControllerOf(&pod)
	return made != nil && made.Kind == "ReplicaSet" && canAnswer(pod)
}

// isOverdue reports whether a pod should have ended by now.
func isOverdue(pod corev1.Pod, now time.Time) bool {
	return pod.DeletionTimestamp != nil && now.After(pod.DeletionTimestamp.Time)
}

// canAnswer tells that a pod may answer requests: its gate runs, or it takes traffic without one.
func canAnswer(pod corev1.Pod) bool {
	if pod.Status.PodIP == "" {
		return false
	}
	for _, status := range pod.Status.InitContainerStatuses {
		if status.Name == desired.GateContainer && status.State.Running != nil {
			return true
		}
	}
	return conditions.OfPod(pod, corev1.ContainersReady) == corev1.ConditionTrue
}

// observationPause is how long what pods were seen to do can go unread, if news of it got lost.
const observationPause = 30 * time.Second
