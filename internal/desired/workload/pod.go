package workload

import (
	"cmp"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/intstr"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	"k8s.io/utils/ptr"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/desired/gateconfig"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

// serverStartPeriod is that of the startup probe of the server, in seconds.
const serverStartPeriod = 2

// startFailures is how often the startup probe of the server may fail: after Settings.StartLimit the kubelet ends the
// container, and starts it again.
func startFailures(settings desired.Settings) int32 {
	return int32((settings.StartLimit + serverStartPeriod*time.Second - 1) / (serverStartPeriod * time.Second)) //nolint:gosec // at most 1800
}

// podSpec puts the gate into the pod as a native sidecar: it is there before the server starts, and after it has ended.
func podSpec(s *v1alpha1.MCPServer, in desired.Inputs) (*corev1ac.PodSpecApplyConfiguration, error) {
	settings := desired.Resolve(s)
	server, err := serverContainer(s, settings)
	if err != nil {
		return nil, err
	}
	gate, err := gateContainer(settings, in)
	if err != nil {
		return nil, err
	}
	key, err := gateconfig.KeyBy(settings)
	if err != nil {
		return nil, err
	}
	spec := corev1ac.PodSpec()
	if settings.Probe.BareServer {
		rememberBareServer(spec, gate)
	}
	spec.
		WithServiceAccountName(cmp.Or(settings.Pod.ServiceAccountName, s.Name)).
		WithAutomountServiceAccountToken(false).
		// Names of other Services in the server's environment tell it nothing, and can change what it does.
		WithEnableServiceLinks(false).
		WithSecurityContext(podSecurityContext(settings)).
		WithTerminationGracePeriodSeconds(gracePeriod(settings)).
		WithInitContainers(gate).
		WithContainers(server).
		WithVolumes(gateVolumes(s, settings, key)...)
	if settings.Probe.EnforceGate && !in.ReadinessGatesOff {
		spec.WithReadinessGates(corev1ac.PodReadinessGate().WithConditionType(v1alpha1.ConditionPodAuthProven))
	}
	if settings.Hardened() {
		spec.WithVolumes(memoryVolume("tmp", "100Mi"), memoryVolume("run", "10Mi"))
	}
	for _, secret := range s.Spec.ImagePullSecrets {
		spec.WithImagePullSecrets(corev1ac.LocalObjectReference().WithName(secret.Name))
	}
	var volumes []*corev1ac.VolumeApplyConfiguration
	if err := desired.Convert(s.Spec.Volumes, &volumes); err != nil {
		return nil, err
	}
	return spec.WithVolumes(volumes...), schedule(spec, s, settings.Pod)
}

// gracePeriod is what a pod that ends needs. The kubelet ends the server first and waits for its hook: endpoints, then
// requests, then the exits. The spec may only ask for more, which is the server's, to exit.
func gracePeriod(settings desired.Settings) int64 {
	sum := int64(gateconfig.EndpointSeconds + settings.DrainSeconds + gateconfig.ExitSeconds)
	if asked := settings.Pod.TerminationGracePeriodSeconds; asked != nil {
		return max(sum, *asked)
	}
	return sum
}

func podSecurityContext(settings desired.Settings) *corev1ac.PodSecurityContextApplyConfiguration {
	context := corev1ac.PodSecurityContext().
		WithRunAsNonRoot(true).
		WithSeccompProfile(corev1ac.SeccompProfile().WithType(corev1.SeccompProfileTypeRuntimeDefault))
	if settings.Hardened() {
		// Memory-backed volumes belong to root unless a group is named.
		context.WithFSGroup(quiltUID)
	}
	asked := settings.Pod.SecurityContext
	if asked.RunAsUser != nil {
		context.WithRunAsUser(*asked.RunAsUser)
	}
	if asked.RunAsGroup != nil {
		context.WithRunAsGroup(*asked.RunAsGroup)
	}
	if asked.FSGroup != nil {
		context.WithFSGroup(*asked.FSGroup)
	}
	if asked.FSGroupChangePolicy != "" {
		context.WithFSGroupChangePolicy(asked.FSGroupChangePolicy)
	}
	return context.WithSupplementalGroups(asked.SupplementalGroups...)
}

// quiltUID: the image runs as root unless told otherwise.
const quiltUID int64 = 65532

// containerSecurityContext is what the restricted Pod Security Standard asks for.
func containerSecurityContext() *corev1ac.SecurityContextApplyConfiguration {
	return corev1ac.SecurityContext().
		WithAllowPrivilegeEscalation(false).
		WithCapabilities(corev1ac.Capabilities().WithDrop("ALL"))
}

func serverContainer(s *v1alpha1.MCPServer, settings desired.Settings) (*corev1ac.ContainerApplyConfiguration, error) {
	security := containerSecurityContext()
	container := corev1ac.Container().
		WithName(desired.ServerContainer).
		WithImage(s.Spec.Image).
		WithCommand(s.Spec.Command...).
		WithArgs(s.Spec.Args...).
		WithPorts(corev1ac.ContainerPort().WithName(desired.ServerContainer).WithContainerPort(settings.Port).WithProtocol(corev1.ProtocolTCP)).
		WithSecurityContext(security).
		// The last words of a server that dies are what says why; most write them to stderr only.
		WithTerminationMessagePolicy(corev1.TerminationMessageFallbackToLogsOnError).
		// The kubelet ends this container before the gate: the hook holds it until the gate has let go of its clients. It is a
		// request because the server's image has no program of ours; it changes nothing, so it needs no proof.
		WithLifecycle(corev1ac.Lifecycle().WithPreStop(corev1ac.LifecycleHandler().WithHTTPGet(adminGet(settings, "/quiesce")))).
		WithStartupProbe(corev1ac.Probe().WithHTTPGet(adminGet(settings, "/serverz")).
			WithPeriodSeconds(serverStartPeriod).WithFailureThreshold(startFailures(settings)).WithTimeoutSeconds(3))
	if s.Spec.ImagePullPolicy != "" {
		container.WithImagePullPolicy(s.Spec.ImagePullPolicy)
	}
	if settings.HealthPath != "" {
		// 60 s: longer than a restart of the gate, whose troubles must not end the server.
		container.WithLivenessProbe(corev1ac.Probe().WithHTTPGet(adminGet(settings, "/serverz")).
			WithPeriodSeconds(10).WithFailureThreshold(6).WithTimeoutSeconds(3))
	}
	if settings.Hardened() {
		security.WithReadOnlyRootFilesystem(true).
			WithRunAsUser(*cmp.Or(settings.Pod.SecurityContext.RunAsUser, ptr.To(quiltUID))).
			WithRunAsGroup(*cmp.Or(settings.Pod.SecurityContext.RunAsGroup, ptr.To(quiltUID)))
		container.WithVolumeMounts(
			corev1ac.VolumeMount().WithName("tmp").WithMountPath("/tmp"),
			corev1ac.VolumeMount().WithName("run").WithMountPath("/run"))
	}
	var mounts []*corev1ac.VolumeMountApplyConfiguration
	if err := desired.Convert(s.Spec.VolumeMounts, &mounts); err != nil {
		return nil, err
	}
	container.WithVolumeMounts(mounts...)
	if err := desired.Convert(desired.Environment(s, settings), &container.Env); err != nil {
		return nil, err
	}
	if err := desired.Convert(s.Spec.EnvFrom, &container.EnvFrom); err != nil {
		return nil, err
	}
	return container, setResources(container, settings.Resources)
}

func gateContainer(settings desired.Settings, in desired.Inputs) (*corev1ac.ContainerApplyConfiguration, error) {
	container := corev1ac.Container().
		WithName(desired.GateContainer).
		WithImage(in.GateImage).
		WithRestartPolicy(corev1.ContainerRestartPolicyAlways).
		WithEnv(corev1ac.EnvVar().WithName(gateapi.PodUIDEnv).WithValueFrom(
			corev1ac.EnvVarSource().WithFieldRef(corev1ac.ObjectFieldSelector().WithFieldPath("metadata.uid")))).
		WithPorts(
			corev1ac.ContainerPort().WithName(desired.GatePortName).WithContainerPort(settings.GatePort).WithProtocol(corev1.ProtocolTCP),
			corev1ac.ContainerPort().WithName(desired.FallbackPortName).WithContainerPort(settings.FallbackPort).WithProtocol(corev1.ProtocolTCP),
			corev1ac.ContainerPort().WithName(desired.AdminPortName).WithContainerPort(settings.AdminPort).WithProtocol(corev1.ProtocolTCP)).
		WithVolumeMounts(
			corev1ac.VolumeMount().WithName(desired.ConfigVolume).WithMountPath(gateapi.ConfigDir).WithReadOnly(true),
			corev1ac.VolumeMount().WithName(desired.KeysVolume).WithMountPath(gateapi.KeysDir).WithReadOnly(true),
			corev1ac.VolumeMount().WithName(desired.SecretVolume).WithMountPath(gateapi.SecretDir).WithReadOnly(true)).
		WithSecurityContext(containerSecurityContext().
			WithReadOnlyRootFilesystem(true).
			WithRunAsUser(desired.GateUID).
			WithRunAsGroup(desired.GateUID)).
		WithTerminationMessagePolicy(corev1.TerminationMessageFallbackToLogsOnError).
		// A command, not a request: whoever reaches the admin port could make that as well.
		WithLifecycle(corev1ac.Lifecycle().WithPreStop(corev1ac.LifecycleHandler().WithExec(
			corev1ac.ExecAction().WithCommand(gateapi.TerminateCommand()...)))).
		// The server's start waits for the sidecar's startup probe: it may ask for the process only, or both wait for ever.
		WithStartupProbe(corev1ac.Probe().WithHTTPGet(adminGet(settings, "/livez")).
			WithPeriodSeconds(1).WithFailureThreshold(30)).
		WithLivenessProbe(corev1ac.Probe().WithHTTPGet(adminGet(settings, "/livez")).
			WithPeriodSeconds(10).WithFailureThreshold(3).WithTimeoutSeconds(3)).
		WithReadinessProbe(corev1ac.Probe().WithHTTPGet(adminGet(settings, "/readyz")).
			WithPeriodSeconds(2).WithFailureThreshold(2).WithTimeoutSeconds(3))
	if settings.TLSSecret != "" {
		container.WithVolumeMounts(corev1ac.VolumeMount().WithName(desired.TLSVolume).WithMountPath(gateapi.TLSDir).WithReadOnly(true))
	}
	return container, setResources(container, settings.GateResources)
}

// adminGet asks the gate's admin port by number: a port's name counts in its own container only.
func adminGet(settings desired.Settings, path string) *corev1ac.HTTPGetActionApplyConfiguration {
	return corev1ac.HTTPGetAction().WithPath(path).WithPort(intstr.FromInt32(settings.AdminPort)).WithScheme(corev1.URISchemeHTTP)
}

func memoryVolume(name, size string) *corev1ac.VolumeApplyConfiguration {
	return corev1ac.Volume().WithName(name).WithEmptyDir(
		corev1ac.EmptyDirVolumeSource().WithMedium(corev1.StorageMediumMemory).WithSizeLimit(resource.MustParse(size)))
}

func setResources(container *corev1ac.ContainerApplyConfiguration, resources corev1.ResourceRequirements) error {
	if len(resources.Limits) == 0 && len(resources.Requests) == 0 && len(resources.Claims) == 0 {
		return nil
	}
	return desired.Convert(resources, &container.Resources)
}

// rememberBareServer gives the gate a place that lives as long as the pod: a server that fell over the question is not
// asked again by a gate that was restarted.
func rememberBareServer(spec *corev1ac.PodSpecApplyConfiguration, gate *corev1ac.ContainerApplyConfiguration) {
	spec.WithVolumes(memoryVolume(desired.RunVolume, "1Mi"))
	gate.WithVolumeMounts(corev1ac.VolumeMount().WithName(desired.RunVolume).WithMountPath(gateapi.RunDir))
}
