package workload

import (
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

// gateVolumes are optional: without its objects the gate starts, answers 503 and can be asked why, where the pod would
// hang in ContainerCreating without a word to anybody.
func gateVolumes(s *v1alpha1.MCPServer, settings desired.Settings, key string) []*corev1ac.VolumeApplyConfiguration {
	config := corev1ac.ConfigMapVolumeSource().WithName(desired.GateConfigName(s)).WithOptional(true)
	if key != gateapi.ConfigFile {
		config.WithItems(corev1ac.KeyToPath().WithKey(key).WithPath(gateapi.ConfigFile))
	}
	volumes := []*corev1ac.VolumeApplyConfiguration{
		corev1ac.Volume().WithName(desired.ConfigVolume).WithConfigMap(config),
		corev1ac.Volume().WithName(desired.KeysVolume).WithProjected(keysSources(s, settings)),
		corev1ac.Volume().WithName(desired.SecretVolume).WithSecret(
			corev1ac.SecretVolumeSource().WithSecretName(desired.GateSecretName(s)).WithOptional(true)),
	}
	if settings.TLSSecret != "" {
		volumes = append(volumes, corev1ac.Volume().WithName(desired.TLSVolume).WithSecret(
			corev1ac.SecretVolumeSource().WithSecretName(settings.TLSSecret).WithOptional(true).WithItems(
				corev1ac.KeyToPath().WithKey(gateapi.TLSCertFile).WithPath(gateapi.TLSCertFile),
				corev1ac.KeyToPath().WithKey(gateapi.TLSKeyFile).WithPath(gateapi.TLSKeyFile))))
	}
	return volumes
}

// keysSources are what the operator publishes, and of each Secret that a provider names the data keys that it names: a
// Secret may hold more than is for the gate.
func keysSources(s *v1alpha1.MCPServer, settings desired.Settings) *corev1ac.ProjectedVolumeSourceApplyConfiguration {
	sources := corev1ac.ProjectedVolumeSource().WithSources(corev1ac.VolumeProjection().WithConfigMap(
		corev1ac.ConfigMapProjection().WithName(desired.PublicKeysName(s)).WithOptional(true)))
	for _, ref := range settings.SecretRefs() {
		secret := corev1ac.SecretProjection().WithName(ref.Name).WithOptional(true)
		for _, key := range ref.Keys {
			secret.WithItems(corev1ac.KeyToPath().WithKey(key).WithPath(desired.MountedFile(ref.Provider, key)))
		}
		sources.WithSources(corev1ac.VolumeProjection().WithSecret(secret))
	}
	return sources
}
