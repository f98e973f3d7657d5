package desired

import (
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy"
)

// resolveBareServer: who says nothing gets what the profile presets.
func resolveBareServer(p *v1alpha1.AuthProbe, preset preset) bool {
	if p == nil || p.BareServer == "" {
		return preset.bareServer
	}
	return p.BareServer == v1alpha1.BareServerOnce
}

func bareServerMode(settings Settings) authproxy.BareServer {
	if settings.Probe.BareServer {
		return authproxy.BareServerOnce
	}
	return authproxy.BareServerOff
}

// rememberBareServer gives the gate a place that lives as long as the pod: a server that fell over the question is not
// asked again by a gate that was restarted.
func rememberBareServer(spec *corev1ac.PodSpecApplyConfiguration, gate *corev1ac.ContainerApplyConfiguration) {
	spec.WithVolumes(memoryVolume(runVolume, "1Mi"))
	gate.WithVolumeMounts(corev1ac.VolumeMount().WithName(runVolume).WithMountPath(authproxy.RunDir))
}
