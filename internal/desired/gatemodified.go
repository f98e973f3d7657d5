package desired

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/mcp-gatehouse/gatehouse/internal/authproxy"
)

// gateModified finds a gate that is missing, or is not what the operator applied.
func gateModified(pod corev1.PodSpec, lock Lock) []string {
	i := slices.IndexFunc(pod.InitContainers, isGate)
	if i < 0 {
		return []string{"the container " + GateContainer + " is missing"}
	}
	got, want := pod.InitContainers[i], lock.Gate
	if got.RestartPolicy == nil || *got.RestartPolicy != corev1.ContainerRestartPolicyAlways {
		return []string{GateContainer + " is not a sidecar (restartPolicy Always)"}
	}
	var details []string
	for _, part := range []struct {
		name      string
		got, want any
	}{
		{"image", got.Image, want.Image},
		{"command", got.Command, want.Command},
		{"args", got.Args, want.Args},
		{"env", got.Env, want.Env},
		{"envFrom", got.EnvFrom, want.EnvFrom},
		{"ports", got.Ports, want.Ports},
		{"volumeMounts", got.VolumeMounts, want.VolumeMounts},
		{"lifecycle", got.Lifecycle, want.Lifecycle},
		{"readinessProbe", got.ReadinessProbe, want.ReadinessProbe},
		{"securityContext", got.SecurityContext, want.SecurityContext},
	} {
		if !equality.Semantic.DeepEqual(part.got, part.want) {
			details = append(details, strings.TrimSpace(fmt.Sprintf("%s of %s was changed %s", part.name, GateContainer, differences(part.got, part.want))))
		}
	}
	details = append(details, addedToGate(got)...)
	for _, volume := range lock.Volumes {
		// Other keys behind the same mount let in whoever holds them.
		if !slices.ContainsFunc(pod.Volumes, func(v corev1.Volume) bool { return equality.Semantic.DeepEqual(v, volume) }) {
			details = append(details, fmt.Sprintf("volume %s of %s was changed", volume.Name, GateContainer))
		}
	}
	return details
}

// addedToGate finds what the operator never sets on the gate. Server-side apply leaves it alone when somebody adds it to
// the Deployment, and then it is in the ReplicaSet too.
func addedToGate(gate corev1.Container) []string {
	var details []string
	if len(gate.Command) > 0 || len(gate.Args) > 0 || len(gate.EnvFrom) > 0 {
		details = append(details, fmt.Sprintf("command, args or envFrom were added to %s", GateContainer))
	}
	for _, variable := range gate.Env {
		if variable.Name != authproxy.PodUIDEnv {
			details = append(details, fmt.Sprintf("environment variable %s was added to %s", variable.Name, GateContainer))
		}
	}
	// The readiness probe is compared; meshes rewrite these two, which is no harm as long as they run nothing.
	for name, probe := range map[string]*corev1.Probe{"startupProbe": gate.StartupProbe, "livenessProbe": gate.LivenessProbe} {
		if probe != nil && probe.Exec != nil {
			details = append(details, fmt.Sprintf("the %s runs a command in %s", name, GateContainer))
		}
	}
	if lifecycle := gate.Lifecycle; lifecycle != nil && (runsOther(lifecycle.PreStop) || lifecycle.PostStart != nil) {
		details = append(details, fmt.Sprintf("a hook was added to %s, or runs another command in it", GateContainer))
	}
	slices.Sort(details)
	return details
}

// runsOther reports whether a hook runs a command that the operator does not set. Hooks of gates of older releases are
// requests.
func runsOther(hook *corev1.LifecycleHandler) bool {
	return hook != nil && hook.Exec != nil && !slices.Equal(hook.Exec.Command, authproxy.TerminateCommand())
}
