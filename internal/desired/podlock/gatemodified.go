package podlock

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/exactjson"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

// gateModified finds a gate that is missing, or is not what the operator applied.
func gateModified(pod corev1.PodSpec, lock Lock) []string {
	i := slices.IndexFunc(pod.InitContainers, desired.IsGate)
	if i < 0 {
		return []string{"the container " + desired.GateContainer + " is missing"}
	}
	got, want := pod.InitContainers[i], lock.Gate
	if got.RestartPolicy == nil || *got.RestartPolicy != corev1.ContainerRestartPolicyAlways {
		return []string{desired.GateContainer + " is not a sidecar (restartPolicy Always)"}
	}
	details := differing(got, want)
	if got.Image == want.Image && len(lock.Images) > 0 && !slices.Contains(lock.Images, got.Image) {
		details = append(details, fmt.Sprintf("image of %s is %s, which the operator has never applied: that is %s", desired.GateContainer, got.Image, lock.Images[0]))
	}
	details = append(details, addedToGate(got)...)
	details = append(details, foreignSources(pod, lock)...)
	for _, volume := range lock.Volumes {
		// Other keys behind the same mount let in whoever holds them.
		if !slices.ContainsFunc(pod.Volumes, func(v corev1.Volume) bool { return equality.Semantic.DeepEqual(v, volume) }) {
			details = append(details, fmt.Sprintf("volume %s of %s was changed", volume.Name, desired.GateContainer))
		}
	}
	return details
}

// differing names the fields of the gate's container that are not as they were applied. Every field is compared but those that
// FieldGroups lists, so that one of a later Kubernetes API is.
func differing(got, want corev1.Container) []string {
	is, was := comparedFields(got), comparedFields(want)
	fields := maps.Clone(was)
	maps.Copy(fields, is)
	var details []string
	for _, field := range slices.Sorted(maps.Keys(fields)) {
		if !reflect.DeepEqual(is[field], was[field]) {
			details = append(details, strings.TrimSpace(fmt.Sprintf("%s of %s was changed %s", field, desired.GateContainer, differences(is[field], was[field]))))
		}
	}
	return details
}

// comparedFields is what of the gate's container is compared, by field.
func comparedFields(gate corev1.Container) map[string]any {
	fields, _ := plainOf(gate).(map[string]any)
	for _, path := range notCompared(GatePart) {
		exactjson.LeaveOut(fields, strings.Split(path, "."))
	}
	maps.DeleteFunc(fields, func(_ string, value any) bool {
		object, isObject := value.(map[string]any)
		return isObject && len(object) == 0
	})
	return fields
}

// foreignSources finds volumes of the gate with ConfigMaps that the operator does not make, whatever the template says; and
// another Secret than the one that the gate proves itself by. What is in those that it makes is asked of the gate itself.
func foreignSources(pod corev1.PodSpec, lock Lock) []string {
	var details []string
	check := func(volume, kind, name string) {
		isOurs := func(ours string) bool { return name == ours || strings.HasPrefix(name, ours+"-") }
		if !slices.ContainsFunc(lock.Sources, isOurs) {
			details = append(details, fmt.Sprintf("volume %s of %s holds %s %s, which is not the operator's", volume, desired.GateContainer, kind, name))
		}
	}
	for _, volume := range pod.Volumes {
		switch {
		case !strings.HasPrefix(volume.Name, reservedPrefix):
		case volume.ConfigMap != nil:
			check(volume.Name, "ConfigMap", volume.ConfigMap.Name)
		case volume.Name == desired.SecretVolume && volume.Secret != nil:
			check(volume.Name, "Secret", volume.Secret.SecretName)
		case volume.Projected != nil:
			for _, source := range volume.Projected.Sources {
				if source.ConfigMap != nil {
					check(volume.Name, "ConfigMap", source.ConfigMap.Name)
				}
			}
		}
	}
	return details
}

// addedToGate finds what the operator never sets on the gate. Server-side apply leaves it alone when somebody adds it to
// the Deployment, and then it is in the ReplicaSet too.
func addedToGate(gate corev1.Container) []string {
	var details []string
	if len(gate.Command) > 0 || len(gate.Args) > 0 || len(gate.EnvFrom) > 0 {
		details = append(details, fmt.Sprintf("command, args or envFrom were added to %s", desired.GateContainer))
	}
	for _, variable := range gate.Env {
		if variable.Name != gateapi.PodUIDEnv {
			details = append(details, fmt.Sprintf("environment variable %s was added to %s", variable.Name, desired.GateContainer))
		}
	}
	// The readiness probe is compared; meshes rewrite these two, which is no harm as long as they run nothing.
	for name, probe := range map[string]*corev1.Probe{"startupProbe": gate.StartupProbe, "livenessProbe": gate.LivenessProbe} {
		if probe != nil && probe.Exec != nil {
			details = append(details, fmt.Sprintf("the %s runs a command in %s", name, desired.GateContainer))
		}
	}
	if lifecycle := gate.Lifecycle; lifecycle != nil && (runsOther(lifecycle.PreStop) || lifecycle.PostStart != nil) {
		details = append(details, fmt.Sprintf("a hook was added to %s, or runs another command in it", desired.GateContainer))
	}
	slices.Sort(details)
	return details
}

// runsOther reports whether a hook runs a command that the operator does not set. Hooks of gates of older releases are
// requests.
func runsOther(hook *corev1.LifecycleHandler) bool {
	return hook != nil && hook.Exec != nil && !slices.Equal(hook.Exec.Command, gateapi.TerminateCommand())
}
