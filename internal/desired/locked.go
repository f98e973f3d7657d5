package desired

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
)

// Violation is one way in which a pod could be entered past its gate, or the gate's keys read.
type Violation struct {
	// Rule names the invariant that is broken.
	Rule string
	// Detail says where and how.
	Detail string
}

func (v Violation) String() string { return v.Rule + ": " + v.Detail }

// Lock is what a locked pod is compared with.
type Lock struct {
	// Gate is the gate's container as the operator applied it.
	Gate corev1.Container
	// Volumes are those of the gate: what it reads its configuration, its keys and its secret from.
	Volumes []corev1.Volume
	// Secrets are the names of Secrets that only the gate, or nobody, may mount.
	Secrets []string
	// EnforceGate: the readiness gate must be there.
	EnforceGate bool
	// Lent is the variable by which the server's container may get one of Secrets; nil for none.
	Lent *corev1.EnvVar
	// OwnIdentity: the template has a service account of the user's, whose tokens may be projected.
	OwnIdentity bool
}

// LockOf gives the Lock of a server. Its gate is that of the given pod template: for an apply our own, for a live pod
// that of its ReplicaSet, which no webhook on pods has touched.
func LockOf(s *v1alpha1.MCPServer, template corev1.PodSpec) Lock {
	lock := Lock{
		Secrets:     append([]string{KeysSecretName(s), GateSecretName(s)}, broughtSecrets(s)...),
		EnforceGate: slices.ContainsFunc(template.ReadinessGates, isOurGate),
		OwnIdentity: template.ServiceAccountName != "" && template.ServiceAccountName != s.Name,
	}
	if lent, found := Resolve(s).lentSecret(); found {
		lock.Lent = &lent
	}
	if i := slices.IndexFunc(template.InitContainers, isGate); i >= 0 {
		lock.Gate = template.InitContainers[i]
	}
	lock.Volumes = slices.DeleteFunc(slices.Clone(template.Volumes), func(v corev1.Volume) bool {
		return !strings.HasPrefix(v.Name, reservedPrefix)
	})
	return lock
}

// LockOfMade gives the Lock of a pod that was made from a template, maybe for an earlier spec. What users bring is a secret of
// the lock for that pod if its gate has it, and where the spec now says so: unless its server was given it, too, which was
// right then. A server of profile Quilt may have been lent the secret of its gate.
func LockOfMade(s *v1alpha1.MCPServer, template corev1.PodSpec) Lock {
	lock, given := LockOf(s, template), secretsBesideGate(template)
	own := []string{KeysSecretName(s), GateSecretName(s)}
	lock.Secrets = append(own, slices.DeleteFunc(broughtSecrets(s), func(name string) bool { return slices.Contains(given, name) })...)
	for _, volume := range template.Volumes {
		if strings.HasPrefix(volume.Name, reservedPrefix) {
			lock.Secrets = append(lock.Secrets, secretsOf(volume)...)
		}
	}
	if s.Spec.Profile == v1alpha1.ProfileQuilt {
		lock.Lent = lentBy(template, own)
	}
	return lock
}

// secretsBesideGate are those that a template gives to others than the gate.
func secretsBesideGate(template corev1.PodSpec) []string {
	var names []string
	for _, volume := range template.Volumes {
		if !strings.HasPrefix(volume.Name, reservedPrefix) {
			names = append(names, secretsOf(volume)...)
		}
	}
	for _, c := range allContainers(template) {
		if !isGate(c) {
			names = append(names, environmentSecrets(c, nil)...)
		}
	}
	return names
}

// lentBy is the variable by which a template lends its server the shared secret; nil if it does not, or names one of never.
func lentBy(template corev1.PodSpec, never []string) *corev1.EnvVar {
	for _, c := range template.Containers {
		for _, variable := range c.Env {
			from := variable.ValueFrom
			if c.Name == ServerContainer && variable.Name == quiltSecretVariable &&
				from != nil && from.SecretKeyRef != nil && !slices.Contains(never, from.SecretKeyRef.Name) {
				return &variable
			}
		}
	}
	return nil
}

// broughtSecrets are those of yours that only the gate may mount.
func broughtSecrets(s *v1alpha1.MCPServer) []string {
	settings := Resolve(s)
	var names []string
	if settings.TLSSecret != "" {
		names = append(names, settings.TLSSecret)
	}
	for _, ref := range settings.secretRefs() {
		if ref.secret {
			names = append(names, ref.name)
		}
	}
	return names
}

func isGate(c corev1.Container) bool { return c.Name == GateContainer }
func isOurGate(g corev1.PodReadinessGate) bool {
	return g.ConditionType == v1alpha1.ConditionPodAuthProven
}

// Locked lists the violations in a pod specification: of a template before it is applied, and of live pods, which
// webhooks and ephemeral containers can have changed since. None means locked, as far as a specification can tell.
func Locked(pod corev1.PodSpec, lock Lock) []Violation {
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
	{"OwnNames", hostAliases},
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
	if lock.EnforceGate && !slices.ContainsFunc(pod.ReadinessGates, isOurGate) {
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
	for _, volume := range pod.Volumes {
		if !lock.OwnIdentity && volume.Projected != nil && slices.ContainsFunc(volume.Projected.Sources, func(p corev1.VolumeProjection) bool {
			return p.ServiceAccountToken != nil
		}) {
			details = append(details, "volume "+volume.Name+" projects a service account token")
		}
	}
	return details
}

func gateIdentity(pod corev1.PodSpec, _ Lock) []string {
	var details []string
	for _, c := range allContainers(pod) {
		if !isGate(c) && c.SecurityContext != nil && c.SecurityContext.RunAsUser != nil && *c.SecurityContext.RunAsUser == gateUID {
			details = append(details, fmt.Sprintf("container %s runs as the gate's user %d", c.Name, gateUID))
		}
	}
	if pod.SecurityContext != nil && pod.SecurityContext.RunAsUser != nil && *pod.SecurityContext.RunAsUser == gateUID {
		details = append(details, fmt.Sprintf("the pod runs as the gate's user %d", gateUID))
	}
	return details
}

// reachingCapabilities reach other processes, the kernel's memory or the node.
var reachingCapabilities = []string{"ALL", "BPF", "PERFMON", "SYS_ADMIN", "SYS_MODULE", "SYS_PTRACE", "SYS_RAWIO"}

// privileges: a container that may trace or mount reaches into the gate. NET_ADMIN is not listed: the init containers
// of service meshes have it, and end before the gate takes traffic.
func privileges(pod corev1.PodSpec, _ Lock) []string {
	var details []string
	for _, c := range allContainers(pod) {
		security := c.SecurityContext
		if security == nil {
			continue
		}
		if security.Privileged != nil && *security.Privileged {
			details = append(details, "container "+c.Name+" is privileged")
		}
		if security.Capabilities == nil {
			continue
		}
		for _, capability := range security.Capabilities.Add {
			if slices.Contains(reachingCapabilities, strings.TrimPrefix(string(capability), "CAP_")) {
				details = append(details, fmt.Sprintf("container %s adds capability %s", c.Name, capability))
			}
		}
	}
	return details
}

func debuggers(pod corev1.PodSpec, _ Lock) []string {
	var details []string
	for _, c := range pod.EphemeralContainers {
		if c.TargetContainerName == GateContainer {
			details = append(details, fmt.Sprintf("ephemeral container %s shares the processes of %s", c.Name, GateContainer))
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

// hostAliases give names other addresses, in the gate too: that of an issuer could lead it to keys of somebody else.
func hostAliases(pod corev1.PodSpec, _ Lock) []string {
	var details []string
	for _, alias := range pod.HostAliases {
		details = append(details, fmt.Sprintf("hostAliases lead %s to %s", strings.Join(alias.Hostnames, ", "), alias.IP))
	}
	return details
}
