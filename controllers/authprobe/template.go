package authprobe

import (
	"context"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
)

// template is the pod template of the pod's ReplicaSet. For the revision that the Deployment has now it is the
// Deployment's own: a webhook may have changed the ReplicaSet. owned tells that the ReplicaSet belongs to the server's
// Deployment: anyone may give a pod our labels.
func (r *Reconciler) template(ctx context.Context, server *v1alpha1.MCPServer, pod corev1.Pod) (found madeFrom, owned bool, err error) {
	ref := metav1.GetControllerOf(&pod)
	if ref == nil || ref.Kind != "ReplicaSet" {
		return found, false, nil
	}
	var replicaSet appsv1.ReplicaSet
	if err := r.Get(ctx, client.ObjectKey{Namespace: pod.Namespace, Name: ref.Name}, &replicaSet); err != nil {
		return found, false, client.IgnoreNotFound(err)
	}
	var deployment appsv1.Deployment
	if err := r.Get(ctx, client.ObjectKeyFromObject(server), &deployment); err != nil {
		return found, false, client.IgnoreNotFound(err)
	}
	owned = replicaSet.UID == ref.UID && metav1.IsControlledBy(&replicaSet, &deployment) && metav1.IsControlledBy(&deployment, server)
	found = madeFrom{spec: replicaSet.Spec.Template.Spec, current: isCurrent(replicaSet, deployment)}
	if found.current {
		found.spec = deployment.Spec.Template.Spec
	}
	return found, owned, nil
}

// madeFrom is what a pod was made from.
type madeFrom struct {
	spec corev1.PodSpec
	// current: it is what the Deployment makes pods from now.
	current bool
}

// revisionAnnotation numbers the templates of a Deployment; its controller writes it before it says that it has seen a
// new one.
const revisionAnnotation = "deployment.kubernetes.io/revision"

func isCurrent(replicaSet appsv1.ReplicaSet, deployment appsv1.Deployment) bool {
	return deployment.Status.ObservedGeneration == deployment.Generation &&
		replicaSet.Annotations[revisionAnnotation] == deployment.Annotations[revisionAnnotation]
}

// templateTampered is what the builder of objects found about the Deployment's template; empty when it is as applied.
func templateTampered(server *v1alpha1.MCPServer) string {
	accepted := meta.FindStatusCondition(server.Status.Conditions, v1alpha1.ConditionAccepted)
	if accepted == nil || accepted.Reason != v1alpha1.ReasonTemplateTampered {
		return ""
	}
	return accepted.Message
}
