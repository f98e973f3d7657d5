package desired

import (
	"cmp"
	"encoding/json"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/intstr"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	"k8s.io/utils/ptr"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy"
)

// The startup probe of the server, in seconds and tries.
const (
	serverStartPeriod   = 2
	serverStartFailures = 60
)

// ServerStartLimit is how long the startup probe of the server waits; then the kubelet ends it, and starts it again.
const ServerStartLimit = serverStartPeriod * serverStartFailures * time.Second

// StartBudget is how long a pod may take to serve before that counts as a failure: the startup probe of its server,
// and time for a first proof of its lock.
const StartBudget = ServerStartLimit + 30*time.Second

// podSpec puts the gate into the pod as a native sidecar: it is there before the server starts, and after it has ended.
func podSpec(s *v1alpha1.MCPServer, in Inputs) (*corev1ac.PodSpecApplyConfiguration, error) {
	settings := Resolve(s)
	server, err := serverContainer(s, settings)
	if err != nil {
		return nil, err
	}
	gate, err := gateContainer(settings, in)
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
		WithVolumes(gateVolumes(s, settings)...)
	if settings.Probe.EnforceGate && !in.ReadinessGatesOff {
		spec.WithReadinessGates(corev1ac.PodReadinessGate().WithConditionType(v1alpha1.ConditionPodAuthProven))
	}
	if settings.preset.hardened {
		spec.WithVolumes(memoryVolume("tmp", "100Mi"), memoryVolume("run", "10Mi"))
	}
	for _, secret := range s.Spec.ImagePullSecrets {
		spec.WithImagePullSecrets(corev1ac.LocalObjectReference().WithName(secret.Name))
	}
	var volumes []*corev1ac.VolumeApplyConfiguration
	if err := convert(s.Spec.Volumes, &volumes); err != nil {
		return nil, err
	}
	return spec.WithVolumes(volumes...), schedule(spec, s, settings.Pod)
}

// gracePeriod is what a pod that ends needs. The kubelet ends the server first and waits for its hook: endpoints, then
// requests, then the exits. The spec may only ask for more, which is the server's, to exit.
func gracePeriod(settings Settings) int64 {
	sum := int64(endpointSeconds + settings.DrainSeconds + exitSeconds)
	if asked := settings.Pod.TerminationGracePeriodSeconds; asked != nil {
		return max(sum, *asked)
	}
	return sum
}

func podSecurityContext(settings Settings) *corev1ac.PodSecurityContextApplyConfiguration {
	context := corev1ac.PodSecurityContext().
		WithRunAsNonRoot(true).
		WithSeccompProfile(corev1ac.SeccompProfile().WithType(corev1.SeccompProfileTypeRuntimeDefault))
	if settings.preset.hardened {
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

func serverContainer(s *v1alpha1.MCPServer, settings Settings) (*corev1ac.ContainerApplyConfiguration, error) {
	security := containerSecurityContext()
	container := corev1ac.Container().
		WithName(ServerContainer).
		WithImage(s.Spec.Image).
		WithCommand(s.Spec.Command...).
		WithArgs(s.Spec.Args...).
		WithPorts(corev1ac.ContainerPort().WithName(ServerContainer).WithContainerPort(settings.Port).WithProtocol(corev1.ProtocolTCP)).
		WithSecurityContext(security).
		// The last words of a server that dies are what says why; most write them to stderr only.
		WithTerminationMessagePolicy(corev1.TerminationMessageFallbackToLogsOnError).
		// The kubelet ends this container before the gate: the hook holds it until the gate has let go of its clients. It is a
		// request because the server's image has no program of ours; it changes nothing, so it needs no proof.
		WithLifecycle(corev1ac.Lifecycle().WithPreStop(corev1ac.LifecycleHandler().WithHTTPGet(adminGet(settings, "/quiesce")))).
		WithStartupProbe(corev1ac.Probe().WithHTTPGet(adminGet(settings, "/serverz")).
			WithPeriodSeconds(serverStartPeriod).WithFailureThreshold(serverStartFailures).WithTimeoutSeconds(3))
	if s.Spec.ImagePullPolicy != "" {
		container.WithImagePullPolicy(s.Spec.ImagePullPolicy)
	}
	if settings.HealthPath != "" {
		// 60 s: longer than a restart of the gate, whose troubles must not end the server.
		container.WithLivenessProbe(corev1ac.Probe().WithHTTPGet(adminGet(settings, "/serverz")).
			WithPeriodSeconds(10).WithFailureThreshold(6).WithTimeoutSeconds(3))
	}
	if settings.preset.hardened {
		security.WithReadOnlyRootFilesystem(true).
			WithRunAsUser(*firstNonNil(settings.Pod.SecurityContext.RunAsUser, ptr.To(quiltUID))).
			WithRunAsGroup(*firstNonNil(settings.Pod.SecurityContext.RunAsGroup, ptr.To(quiltUID)))
		container.WithVolumeMounts(
			corev1ac.VolumeMount().WithName("tmp").WithMountPath("/tmp"),
			corev1ac.VolumeMount().WithName("run").WithMountPath("/run"))
	}
	var mounts []*corev1ac.VolumeMountApplyConfiguration
	if err := convert(s.Spec.VolumeMounts, &mounts); err != nil {
		return nil, err
	}
	container.WithVolumeMounts(mounts...)
	if err := convert(environment(s, settings), &container.Env); err != nil {
		return nil, err
	}
	if err := convert(s.Spec.EnvFrom, &container.EnvFrom); err != nil {
		return nil, err
	}
	return container, setResources(container, settings.Resources)
}

func gateContainer(settings Settings, in Inputs) (*corev1ac.ContainerApplyConfiguration, error) {
	container := corev1ac.Container().
		WithName(GateContainer).
		WithImage(in.GateImage).
		WithRestartPolicy(corev1.ContainerRestartPolicyAlways).
		WithEnv(corev1ac.EnvVar().WithName(authproxy.PodUIDEnv).WithValueFrom(
			corev1ac.EnvVarSource().WithFieldRef(corev1ac.ObjectFieldSelector().WithFieldPath("metadata.uid")))).
		WithPorts(
			corev1ac.ContainerPort().WithName(GatePortName).WithContainerPort(settings.GatePort).WithProtocol(corev1.ProtocolTCP),
			corev1ac.ContainerPort().WithName(AdminPortName).WithContainerPort(settings.AdminPort).WithProtocol(corev1.ProtocolTCP)).
		WithVolumeMounts(
			corev1ac.VolumeMount().WithName(configVolume).WithMountPath(authproxy.ConfigDir).WithReadOnly(true),
			corev1ac.VolumeMount().WithName(keysVolume).WithMountPath(authproxy.KeysDir).WithReadOnly(true),
			corev1ac.VolumeMount().WithName(secretVolume).WithMountPath(authproxy.SecretDir).WithReadOnly(true)).
		WithSecurityContext(containerSecurityContext().
			WithReadOnlyRootFilesystem(true).
			WithRunAsUser(gateUID).
			WithRunAsGroup(gateUID)).
		WithTerminationMessagePolicy(corev1.TerminationMessageFallbackToLogsOnError).
		// A command, not a request: whoever reaches the admin port could make that as well.
		WithLifecycle(corev1ac.Lifecycle().WithPreStop(corev1ac.LifecycleHandler().WithExec(
			corev1ac.ExecAction().WithCommand(authproxy.TerminateCommand()...)))).
		// The server's start waits for the sidecar's startup probe: it may ask for the process only, or both wait for ever.
		WithStartupProbe(corev1ac.Probe().WithHTTPGet(adminGet(settings, "/livez")).
			WithPeriodSeconds(1).WithFailureThreshold(30)).
		WithLivenessProbe(corev1ac.Probe().WithHTTPGet(adminGet(settings, "/livez")).
			WithPeriodSeconds(10).WithFailureThreshold(3).WithTimeoutSeconds(3)).
		WithReadinessProbe(corev1ac.Probe().WithHTTPGet(adminGet(settings, "/readyz")).
			WithPeriodSeconds(2).WithFailureThreshold(2).WithTimeoutSeconds(3))
	if settings.TLSSecret != "" {
		container.WithVolumeMounts(corev1ac.VolumeMount().WithName(tlsVolume).WithMountPath(authproxy.TLSDir).WithReadOnly(true))
	}
	return container, setResources(container, settings.GateResources)
}

// adminGet asks the gate's admin port by number: a port's name counts in its own container only.
func adminGet(settings Settings, path string) *corev1ac.HTTPGetActionApplyConfiguration {
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
	return convert(resources, &container.Resources)
}

// convert carries a field of the API types over into an apply configuration: their JSON is the same.
func convert(from, to any) error {
	data, err := json.Marshal(from)
	if err != nil {
		return fmt.Errorf("convert to apply configuration: %w", err)
	}
	if err := json.Unmarshal(data, to); err != nil {
		return fmt.Errorf("convert to apply configuration: %w", err)
	}
	return nil
}
