package desired

import (
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TemplatesInUse are the templates from which the Deployment makes pods, and the pods that there are, in the form of a template.
func TemplatesInUse(deployment appsv1.Deployment, replicaSets []appsv1.ReplicaSet, pods []corev1.Pod) []corev1.PodTemplateSpec {
	var made []corev1.PodTemplateSpec
	if deployment.UID != "" { // Else there is no Deployment yet.
		made = append(made, deployment.Spec.Template)
	}
	for _, set := range replicaSets {
		if !metav1.IsControlledBy(&set, &deployment) {
			continue
		}
		if set.Status.Replicas > 0 || set.Spec.Replicas == nil || *set.Spec.Replicas > 0 {
			made = append(made, set.Spec.Template)
		}
		for _, pod := range pods {
			if metav1.IsControlledBy(&pod, &set) {
				made = append(made, corev1.PodTemplateSpec{ObjectMeta: pod.ObjectMeta, Spec: pod.Spec})
			}
		}
	}
	return made
}
