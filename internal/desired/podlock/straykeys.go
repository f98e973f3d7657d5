package podlock

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/mcp-gatehouse/gatehouse/internal/desired"
)

// reservedPrefix begins the names of the gate's volumes.
const reservedPrefix = "gatehouse-"

// strayKeys finds every way to one of the lock's Secrets but the gate's own: volumes, mounts and the environment.
func strayKeys(pod corev1.PodSpec, lock Lock) []string {
	var details []string
	for _, volume := range pod.Volumes {
		for _, secret := range secretsOf(volume) {
			// The gate's own volumes are compared whole, and nobody else mounts them.
			if slices.Contains(lock.Secrets, secret) && !strings.HasPrefix(volume.Name, reservedPrefix) {
				details = append(details, fmt.Sprintf("volume %s holds Secret %s", volume.Name, secret))
			}
		}
		if volume.HostPath != nil {
			// The kubelet keeps the gate's files there as well, under a path that can be guessed.
			details = append(details, fmt.Sprintf("volume %s mounts the node's %s", volume.Name, volume.HostPath.Path))
		}
		if volume.GitRepo != nil {
			details = append(details, fmt.Sprintf("volume %s has the node run git", volume.Name))
		}
	}
	for _, c := range allContainers(pod) {
		if !desired.IsGate(c) {
			details = append(details, readsOfGate(c, lock)...)
		}
	}
	return details
}

// readsOfGate finds what a container beside the gate has of the gate's volumes and Secrets.
func readsOfGate(c corev1.Container, lock Lock) []string {
	var details []string
	for _, mount := range c.VolumeMounts {
		if strings.HasPrefix(mount.Name, reservedPrefix) {
			details = append(details, fmt.Sprintf("container %s mounts volume %s of the gate", c.Name, mount.Name))
		}
	}
	for _, variable := range c.Env {
		if from := variable.ValueFrom; from != nil && from.FileKeyRef != nil && strings.HasPrefix(from.FileKeyRef.VolumeName, reservedPrefix) {
			details = append(details, fmt.Sprintf("container %s reads volume %s of the gate", c.Name, from.FileKeyRef.VolumeName))
		}
	}
	for _, secret := range environmentSecrets(c, lock.Lent) {
		if slices.Contains(lock.Secrets, secret) {
			details = append(details, fmt.Sprintf("container %s has Secret %s in its environment", c.Name, secret))
		}
	}
	return details
}

func secretsOf(volume corev1.Volume) []string {
	var names []string
	if volume.Secret != nil {
		names = append(names, volume.Secret.SecretName)
	}
	if volume.Projected != nil {
		for _, source := range volume.Projected.Sources {
			if source.Secret != nil {
				names = append(names, source.Secret.Name)
			}
		}
	}
	return append(names, driverSecrets(volume)...)
}

// driverSecrets are handed to the driver of a volume, which may put them into it.
func driverSecrets(volume corev1.Volume) []string {
	var refs []*corev1.LocalObjectReference
	if volume.CSI != nil {
		refs = append(refs, volume.CSI.NodePublishSecretRef)
	}
	if volume.FlexVolume != nil {
		refs = append(refs, volume.FlexVolume.SecretRef)
	}
	if volume.CephFS != nil {
		refs = append(refs, volume.CephFS.SecretRef)
	}
	if volume.RBD != nil {
		refs = append(refs, volume.RBD.SecretRef)
	}
	if volume.ISCSI != nil {
		refs = append(refs, volume.ISCSI.SecretRef)
	}
	if volume.Cinder != nil {
		refs = append(refs, volume.Cinder.SecretRef)
	}
	if volume.ScaleIO != nil {
		refs = append(refs, volume.ScaleIO.SecretRef)
	}
	if volume.StorageOS != nil {
		refs = append(refs, volume.StorageOS.SecretRef)
	}
	var names []string
	for _, ref := range refs {
		if ref != nil {
			names = append(names, ref.Name)
		}
	}
	if volume.AzureFile != nil {
		names = append(names, volume.AzureFile.SecretName)
	}
	return names
}

// environmentSecrets are those in a container's environment, but for the variable that the server is lent.
func environmentSecrets(c corev1.Container, lent *corev1.EnvVar) []string {
	var names []string
	for _, variable := range c.Env {
		if lent != nil && c.Name == desired.ServerContainer && equality.Semantic.DeepEqual(variable, *lent) {
			continue
		}
		if variable.ValueFrom != nil && variable.ValueFrom.SecretKeyRef != nil {
			names = append(names, variable.ValueFrom.SecretKeyRef.Name)
		}
	}
	for _, source := range c.EnvFrom {
		if source.SecretRef != nil {
			names = append(names, source.SecretRef.Name)
		}
	}
	return names
}
