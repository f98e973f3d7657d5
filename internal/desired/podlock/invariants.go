package podlock

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
)

// Violations lists the violations in a pod specification: of a template before it is applied, and of live pods, which
// webhooks and ephemeral containers can have changed since. None means locked, as far as a specification can tell.
func Violations(pod corev1.PodSpec, lock Lock) []Violation {
	var found []Violation
	for _, invariant := range invariants {
		for _, detail := range invariant.broken(pod, lock) {
			found = append(found, Violation{Rule: invariant.rule, Detail: detail})
		}
	}
	return found
}

var invariants = []struct {
	rule   string
	broken func(corev1.PodSpec, Lock) []string
}{
	{"GateUnmodified", gateModified},
	{"OwnNamespaces", sharedNamespaces},
	{"NoHostPort", hostPorts},
	{"KeysOnlyInGate", strayKeys},
	{"ReadinessGate", missingReadinessGate},
	{"NoServiceAccountToken", serviceAccountToken},
	{"GateUID", gateIdentity},
	{"NoPrivileges", privileges},
	{"NoDebuggerInGate", debuggers},
	{"OwnNames", otherNames},
	{"OwnLoopback", waysToLoopback},
	{"GatePorts", gatePortNames},
}

func sharedNamespaces(pod corev1.PodSpec, _ Lock) []string {
	var details []string
	for name, set := range map[string]bool{
		"hostNetwork": pod.HostNetwork, "hostPID": pod.HostPID, "hostIPC": pod.HostIPC,
		// One process namespace lets the server read the gate's files through /proc.
		"shareProcessNamespace": pod.ShareProcessNamespace != nil && *pod.ShareProcessNamespace,
	} {
		if set {
			details = append(details, name+" is set")
		}
	}
	slices.Sort(details)
	return details
}

func hostPorts(pod corev1.PodSpec, _ Lock) []string {
	var details []string
	for _, c := range allContainers(pod) {
		for _, port := range c.Ports {
			if port.HostPort != 0 {
				details = append(details, fmt.Sprintf("container %s opens hostPort %d", c.Name, port.HostPort))
			}
		}
	}
	return details
}

func missingReadinessGate(pod corev1.PodSpec, lock Lock) []string {
	if lock.EnforceGate && !slices.ContainsFunc(pod.ReadinessGates, IsOurGate) {
		return []string{"readiness gate " + v1alpha1.ConditionPodAuthProven + " is missing"}
	}
	return nil
}

// serviceAccountToken: a token of an account that the user has named is asked for; it is what clouds identify a pod by.
func serviceAccountToken(pod corev1.PodSpec, lock Lock) []string {
	var details []string
	if pod.AutomountServiceAccountToken == nil || *pod.AutomountServiceAccountToken {
		details = append(details, "automountServiceAccountToken is not false")
	}
	if lock.Account != "" && pod.ServiceAccountName != lock.Account {
		details = append(details, fmt.Sprintf("serviceAccountName is %s, and must be %s", pod.ServiceAccountName, lock.Account))
	}
	for _, volume := range pod.Volumes {
		if !lock.OwnIdentity && volume.Projected != nil && slices.ContainsFunc(volume.Projected.Sources, func(p corev1.VolumeProjection) bool {
			return p.ServiceAccountToken != nil || p.PodCertificate != nil
		}) {
			details = append(details, "volume "+volume.Name+" projects a service account token or certificate")
		}
	}
	return details
}

func gateIdentity(pod corev1.PodSpec, _ Lock) []string {
	var details []string
	for _, c := range allContainers(pod) {
		if !desired.IsGate(c) && c.SecurityContext != nil && c.SecurityContext.RunAsUser != nil && *c.SecurityContext.RunAsUser == desired.GateUID {
			details = append(details, fmt.Sprintf("container %s runs as the gate's user %d", c.Name, desired.GateUID))
		}
	}
	if pod.SecurityContext != nil && pod.SecurityContext.RunAsUser != nil && *pod.SecurityContext.RunAsUser == desired.GateUID {
		details = append(details, fmt.Sprintf("the pod runs as the gate's user %d", desired.GateUID))
	}
	return details
}

func debuggers(pod corev1.PodSpec, _ Lock) []string {
	var details []string
	for _, c := range pod.EphemeralContainers {
		if c.TargetContainerName == desired.GateContainer {
			details = append(details, fmt.Sprintf("ephemeral container %s shares the processes of %s", c.Name, desired.GateContainer))
		}
	}
	return details
}

// allContainers gives every container of every kind; ephemeral ones in the form of the others.
func allContainers(pod corev1.PodSpec) []corev1.Container {
	all := slices.Concat(pod.InitContainers, pod.Containers)
	for _, c := range pod.EphemeralContainers {
		all = append(all, corev1.Container(c.EphemeralContainerCommon))
	}
	return all
}
