package workload

import (
	"cmp"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
)

// Defaulted fills in what the API server does, as far as podlock looks at it: a template that is about to be applied can
// then be compared with one that was stored.
func Defaulted(pod corev1.PodSpec) corev1.PodSpec {
	pod = *pod.DeepCopy()
	for i := range pod.InitContainers {
		container := &pod.InitContainers[i]
		defaultTo(&container.TerminationMessagePath, corev1.TerminationMessagePathDefault)
		for j := range container.Env {
			if from := container.Env[j].ValueFrom; from != nil && from.FieldRef != nil {
				defaultTo(&from.FieldRef.APIVersion, "v1")
			}
		}
		for _, probe := range []*corev1.Probe{container.StartupProbe, container.LivenessProbe, container.ReadinessProbe} {
			defaultProbe(probe)
		}
	}
	for i := range pod.Volumes {
		volume := &pod.Volumes[i]
		if volume.ConfigMap != nil {
			volume.ConfigMap.DefaultMode = cmp.Or(volume.ConfigMap.DefaultMode, ptr.To(corev1.ConfigMapVolumeSourceDefaultMode))
		}
		if volume.Secret != nil {
			volume.Secret.DefaultMode = cmp.Or(volume.Secret.DefaultMode, ptr.To(corev1.SecretVolumeSourceDefaultMode))
		}
		if volume.Projected != nil {
			volume.Projected.DefaultMode = cmp.Or(volume.Projected.DefaultMode, ptr.To(corev1.ProjectedVolumeSourceDefaultMode))
		}
	}
	return pod
}

func defaultProbe(probe *corev1.Probe) {
	if probe == nil {
		return
	}
	defaultTo(&probe.TimeoutSeconds, 1)
	defaultTo(&probe.PeriodSeconds, 10)
	defaultTo(&probe.SuccessThreshold, 1)
	defaultTo(&probe.FailureThreshold, 3)
}

func defaultTo[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
