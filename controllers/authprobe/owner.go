package authprobe

import (
	"context"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
)

// unchanged tells that the pod is still the one that the round began with.
func (r *Reconciler) unchanged(ctx context.Context, pod corev1.Pod) bool {
	var now corev1.Pod
	if err := r.Get(ctx, client.ObjectKeyFromObject(&pod), &now); err != nil {
		return false
	}
	return now.UID == pod.UID && instanceOf(now) == instanceOf(pod)
}

// template is the pod template of the pod's ReplicaSet. owned tells that the ReplicaSet belongs to the server's
// Deployment: anyone may give a pod our labels.
func (r *Reconciler) template(ctx context.Context, server *v1alpha1.MCPServer, pod corev1.Pod) (spec corev1.PodSpec, owned bool, err error) {
	ref := metav1.GetControllerOf(&pod)
	if ref == nil || ref.Kind != "ReplicaSet" {
		return spec, false, nil
	}
	var replicaSet appsv1.ReplicaSet
	if err := r.Get(ctx, client.ObjectKey{Namespace: pod.Namespace, Name: ref.Name}, &replicaSet); err != nil {
		return spec, false, client.IgnoreNotFound(err)
	}
	var deployment appsv1.Deployment
	if err := r.Get(ctx, client.ObjectKeyFromObject(server), &deployment); err != nil {
		return spec, false, client.IgnoreNotFound(err)
	}
	owned = replicaSet.UID == ref.UID && metav1.IsControlledBy(&replicaSet, &deployment) && metav1.IsControlledBy(&deployment, server)
	return replicaSet.Spec.Template.Spec, owned, nil
}
