package authprobe

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
)

// unchanged tells that the pod is still the one that the round began with.
func (r *Reconciler) unchanged(ctx context.Context, pod corev1.Pod, reason string) bool {
	var now corev1.Pod
	if err := r.Get(ctx, client.ObjectKeyFromObject(&pod), &now); err != nil {
		return false
	}
	// That the server was restarted voids no finding that it gave no answer: one that ends again and again would never be
	// told of.
	if reason == v1alpha1.ReasonUpstreamUnavailable {
		now, pod = *now.DeepCopy(), *pod.DeepCopy()
		now.Status.ContainerStatuses, pod.Status.ContainerStatuses = nil, nil
	}
	return now.UID == pod.UID && instanceOf(now) == instanceOf(pod)
}
