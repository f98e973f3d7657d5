package podlock

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
)

// ServesTLS tells that the gate of a pod is to serve its clients over TLS: a certificate is mounted into it.
func ServesTLS(spec corev1.PodSpec) bool {
	for _, container := range spec.InitContainers {
		if container.Name == desired.GateContainer {
			return slices.ContainsFunc(container.VolumeMounts, func(m corev1.VolumeMount) bool { return m.Name == desired.TLSVolume })
		}
	}
	return false
}

// GateMounts tells whether a pod has a Secret or ConfigMap of a name in a volume of the gate.
func GateMounts(pod corev1.PodSpec, name string) bool {
	for _, volume := range pod.Volumes {
		if !strings.HasPrefix(volume.Name, reservedPrefix) {
			continue
		}
		if slices.Contains(secretsOf(volume), name) || slices.Contains(configMapsOf(volume), name) {
			return true
		}
	}
	return false
}

// MountsAll tells whether a pod has every object of the server's own that gates mount, each by the name that it goes by.
func MountsAll(s *v1alpha1.MCPServer, pod corev1.PodSpec) bool {
	return GateMounts(pod, desired.GateSecretName(s)) && GateMounts(pod, desired.GateConfigName(s)) && GateMounts(pod, desired.PublicKeysName(s))
}

func configMapsOf(volume corev1.Volume) []string {
	var names []string
	if volume.ConfigMap != nil {
		names = append(names, volume.ConfigMap.Name)
	}
	if volume.Projected != nil {
		for _, source := range volume.Projected.Sources {
			if source.ConfigMap != nil {
				names = append(names, source.ConfigMap.Name)
			}
		}
	}
	return names
}
