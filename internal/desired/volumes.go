package desired

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy"
)

// gateVolumes are optional: without its objects the gate starts, answers 503 and can be asked why, where the pod would
// hang in ContainerCreating without a word to anybody.
func gateVolumes(s *v1alpha1.MCPServer, settings Settings) []*corev1ac.VolumeApplyConfiguration {
	volumes := []*corev1ac.VolumeApplyConfiguration{
		corev1ac.Volume().WithName(configVolume).WithConfigMap(
			corev1ac.ConfigMapVolumeSource().WithName(GateConfigName(s)).WithOptional(true)),
		corev1ac.Volume().WithName(keysVolume).WithProjected(keysSources(s, settings)),
		corev1ac.Volume().WithName(secretVolume).WithSecret(
			corev1ac.SecretVolumeSource().WithSecretName(GateSecretName(s)).WithOptional(true)),
	}
	if settings.TLSSecret != "" {
		volumes = append(volumes, corev1ac.Volume().WithName(tlsVolume).WithSecret(
			corev1ac.SecretVolumeSource().WithSecretName(settings.TLSSecret).WithOptional(true).WithItems(
				corev1ac.KeyToPath().WithKey(authproxy.TLSCertFile).WithPath(authproxy.TLSCertFile),
				corev1ac.KeyToPath().WithKey(authproxy.TLSKeyFile).WithPath(authproxy.TLSKeyFile))))
	}
	return volumes
}

// ServesTLS tells that the gate of a pod is to serve its clients over TLS: a certificate is mounted into it.
func ServesTLS(spec corev1.PodSpec) bool {
	for _, container := range spec.InitContainers {
		if container.Name == GateContainer {
			return slices.ContainsFunc(container.VolumeMounts, func(m corev1.VolumeMount) bool { return m.Name == tlsVolume })
		}
	}
	return false
}

// keysSources are what the operator publishes, and of each Secret that a provider names the data keys that it names: a
// Secret may hold more than is for the gate.
func keysSources(s *v1alpha1.MCPServer, settings Settings) *corev1ac.ProjectedVolumeSourceApplyConfiguration {
	sources := corev1ac.ProjectedVolumeSource().WithSources(corev1ac.VolumeProjection().WithConfigMap(
		corev1ac.ConfigMapProjection().WithName(PublicKeysName(s)).WithOptional(true)))
	for _, ref := range settings.secretRefs() {
		secret := corev1ac.SecretProjection().WithName(ref.name).WithOptional(true)
		for _, key := range ref.keys {
			secret.WithItems(corev1ac.KeyToPath().WithKey(key).WithPath(mountedFile(ref.provider, key)))
		}
		sources.WithSources(corev1ac.VolumeProjection().WithSecret(secret))
	}
	return sources
}

// References names what users bring for a server, as "Secret NAME" or "ConfigMap NAME".
func References(s *v1alpha1.MCPServer) []string {
	var out []string
	settings := Resolve(s)
	for _, ref := range settings.secretRefs() {
		out = append(out, "Secret "+ref.name)
	}
	if settings.TLSSecret != "" {
		out = append(out, "Secret "+settings.TLSSecret)
	}
	if settings.Probe.TokenSecret != nil {
		out = append(out, "Secret "+settings.Probe.TokenSecret.Name)
	}
	if ref := RevokedRef(s); ref != nil {
		out = append(out, "ConfigMap "+ref.Name)
	}
	return out
}

// secretRef is what a provider wants of a Secret of yours.
type secretRef struct {
	provider, name string
	keys           []string
	// secret tells that what is in it opens the server, or may.
	secret bool
}

func (s Settings) secretRefs() []secretRef {
	var refs []secretRef
	for _, p := range s.Providers {
		if p.Secret != nil {
			refs = append(refs, secretRef{provider: p.Name, name: p.Secret.Name, keys: p.Secret.Keys, secret: true})
		}
		if p.Remote != nil && p.Remote.CASecretRef != nil {
			refs = append(refs, secretRef{provider: p.Name, name: p.Remote.CASecretRef.Name, keys: []string{CAKey(*p.Remote.CASecretRef)}})
		}
	}
	return refs
}
