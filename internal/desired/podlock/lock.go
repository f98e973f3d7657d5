package podlock

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
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
	// Images are those that the gate may have, whatever it was made from; none where that is not known.
	Images []string
	// Sources are the beginnings of the names of what the operator makes for the gate to read; see foreignSources.
	Sources []string
	// Volumes are those of the gate: what it reads its configuration, its keys and its secret from.
	Volumes []corev1.Volume
	// Secrets are the names of Secrets that only the gate, or nobody, may mount.
	Secrets []string
	// EnforceGate: the readiness gate must be there.
	EnforceGate bool
	// Lent is the variable by which the server's container may get one of Secrets; nil for none.
	Lent *corev1.EnvVar
	// Account is the pod's; empty: any.
	Account string
	// OwnIdentity: the template has a service account of the user's, whose tokens may be projected.
	OwnIdentity bool
}

// Of gives the Lock of a server. Its gate is that of the given pod template: for an apply our own, for a live pod
// that of its ReplicaSet, which no webhook on pods has touched.
func Of(s *v1alpha1.MCPServer, template corev1.PodSpec) Lock {
	lock := Lock{
		Secrets:     append(desired.OwnSecrets(s), broughtSecrets(s)...),
		EnforceGate: slices.ContainsFunc(template.ReadinessGates, IsOurGate),
		Sources:     desired.FirstNames(s),
		Account:     template.ServiceAccountName,
		OwnIdentity: template.ServiceAccountName != "" && template.ServiceAccountName != s.Name,
	}
	if lent, found := desired.Resolve(s).LentSecret(); found {
		lock.Lent = &lent
	}
	if i := slices.IndexFunc(template.InitContainers, desired.IsGate); i >= 0 {
		lock.Gate = template.InitContainers[i]
	}
	lock.Volumes = slices.DeleteFunc(slices.Clone(template.Volumes), func(v corev1.Volume) bool {
		return !strings.HasPrefix(v.Name, reservedPrefix)
	})
	return lock
}

// OfMade gives the Lock of a pod that was made from a template, maybe for an earlier spec. What users bring is a secret of
// the lock for that pod if its gate has it, and where the spec now says so: unless its server was given it, too, which was
// right then. A server of profile Quilt may have been lent the secret of its gate.
func OfMade(s *v1alpha1.MCPServer, template corev1.PodSpec) Lock {
	lock, given := Of(s, template), secretsBesideGate(template)
	lock.Images = desired.GateImages(s)
	own := desired.OwnSecrets(s)
	lock.Secrets = append(own, slices.DeleteFunc(broughtSecrets(s), func(name string) bool { return slices.Contains(given, name) })...)
	for _, volume := range template.Volumes {
		if strings.HasPrefix(volume.Name, reservedPrefix) {
			lock.Secrets = append(lock.Secrets, secretsOf(volume)...)
		}
	}
	if s.Spec.Profile == v1alpha1.ProfileQuilt || isMadeForQuilt(template) {
		lock.Lent = lentBy(template, own)
	}
	return lock
}

// isMadeForQuilt reports whether a template was made for a server of profile Quilt that verifies tokens itself: its server has
// each variable that the profile forces, whatever profile the spec has by now.
func isMadeForQuilt(template corev1.PodSpec) bool {
	at := slices.IndexFunc(template.Containers, func(c corev1.Container) bool { return c.Name == desired.ServerContainer })
	if at < 0 {
		return false
	}
	for _, guard := range desired.GuardsUpTo014(portOf(template.Containers[at])) {
		has := func(e corev1.EnvVar) bool {
			return e.Name == guard.Name && e.Value == guard.Value && e.ValueFrom == nil
		}
		if !slices.ContainsFunc(template.Containers[at].Env, has) {
			return false
		}
	}
	return true
}

// portOf is the port of the server, as its container names it.
func portOf(server corev1.Container) int32 {
	for _, port := range server.Ports {
		if port.Name == desired.ServerContainer {
			return port.ContainerPort
		}
	}
	return 0
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
		if !desired.IsGate(c) {
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
			if c.Name == desired.ServerContainer && variable.Name == desired.QuiltSecretVariable &&
				from != nil && from.SecretKeyRef != nil && !slices.Contains(never, from.SecretKeyRef.Name) {
				return &variable
			}
		}
	}
	return nil
}

// broughtSecrets are those of yours that only the gate may mount.
func broughtSecrets(s *v1alpha1.MCPServer) []string {
	settings := desired.Resolve(s)
	var names []string
	if settings.TLSSecret != "" {
		names = append(names, settings.TLSSecret)
	}
	for _, ref := range settings.SecretRefs() {
		if ref.Secret {
			names = append(names, ref.Name)
		}
	}
	return names
}

// IsOurGate reports whether a readiness gate is that of the lock.
func IsOurGate(g corev1.PodReadinessGate) bool {
	return g.ConditionType == v1alpha1.ConditionPodAuthProven
}
