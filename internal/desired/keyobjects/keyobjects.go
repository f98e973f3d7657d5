package keyobjects

import (
	"fmt"

	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/desired/gateconfig"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

// KeysSecret holds the private keys. It is mounted nowhere. Without a provider of type Managed there is none.
func KeysSecret(s *v1alpha1.MCPServer, in desired.Inputs) (*corev1ac.SecretApplyConfiguration, error) {
	data := map[string][]byte{}
	for _, provider := range desired.Resolve(s).Providers {
		if provider.Type != v1alpha1.KeysManaged {
			continue
		}
		set, err := managedKeys(in, provider.Name)
		if err != nil {
			return nil, err
		}
		if data[gateapi.KeysFile(provider.Name)], err = keys.MarshalPrivate(set); err != nil {
			return nil, err
		}
		data[desired.RotationFile(provider.Name)] = in.Rotations[provider.Name]
	}
	if len(data) == 0 {
		return nil, nil
	}
	return corev1ac.Secret(desired.KeysSecretName(s), s.Namespace).
		WithLabels(desired.Labels(s)).
		WithAnnotations(desired.Annotations(s, nil)).
		WithOwnerReferences(desired.Owner(s)).
		WithImmutable(false).
		WithData(data), nil
}

// GateSecret is what the gate and the operator share, and nobody else mounts.
func GateSecret(s *v1alpha1.MCPServer, in desired.Inputs) *corev1ac.SecretApplyConfiguration {
	return corev1ac.Secret(desired.GateSecretName(s), s.Namespace).
		WithLabels(desired.Labels(s)).
		WithAnnotations(desired.Annotations(s, nil)).
		WithOwnerReferences(desired.Owner(s)).
		WithImmutable(false).
		WithData(in.GateSecret)
}

// PublicKeys is what the gate verifies with, as far as the operator publishes it, and the list of what is revoked.
func PublicKeys(s *v1alpha1.MCPServer, in desired.Inputs) (*corev1ac.ConfigMapApplyConfiguration, error) {
	data := map[string]string{gateapi.RevokedFile: desired.RevokedList(s, in.Revoked)}
	for _, provider := range desired.Resolve(s).Providers {
		var public []keys.Public
		switch provider.Type {
		case v1alpha1.KeysManaged:
			set, err := managedKeys(in, provider.Name)
			if err != nil {
				return nil, err
			}
			for _, key := range set {
				public = append(public, key.Public())
			}
		case v1alpha1.KeysCluster:
			public = in.Cluster.Keys
		case v1alpha1.KeysSecret, v1alpha1.KeysRemote:
			continue // mounted, or fetched by the gate
		}
		encoded, err := keys.MarshalPublic(public)
		if err != nil {
			return nil, err
		}
		data[gateapi.KeysFile(provider.Name)] = string(encoded)
	}
	for _, file := range gateconfig.HeldKeys(s, in) {
		if content, published := in.KeyFiles[file]; published && data[file] == "" {
			data[file] = content
		}
	}
	return Republished(s, data), nil
}

// Republished is the ConfigMap of PublicKeys with these files.
func Republished(s *v1alpha1.MCPServer, files map[string]string) *corev1ac.ConfigMapApplyConfiguration {
	return corev1ac.ConfigMap(desired.PublicKeysName(s), s.Namespace).
		WithLabels(desired.Labels(s)).
		WithAnnotations(desired.Annotations(s, nil)).
		WithOwnerReferences(desired.Owner(s)).
		WithImmutable(false).
		WithData(files)
}

func managedKeys(in desired.Inputs, provider string) ([]keys.Private, error) {
	set := in.Keys[provider]
	if len(set) == 0 {
		return nil, fmt.Errorf("no key for provider %q", provider)
	}
	return set, nil
}
