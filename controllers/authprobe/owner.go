package authprobe

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// unchanged tells that the pod is still the one that the round began with.
func (r *Reconciler) unchanged(ctx context.Context, pod corev1.Pod) bool {
	var now corev1.Pod
	if err := r.Get(ctx, client.ObjectKeyFromObject(&pod), &now); err != nil {
		return false
	}
	return now.UID == pod.UID && instanceOf(now) == instanceOf(pod)
}
