package desired

import (
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

// KeysSecret holds the private keys. It is mounted nowhere. Without a provider of type Managed there is none.
func KeysSecret(s *v1alpha1.MCPServer, in Inputs) (*corev1ac.SecretApplyConfiguration, error) {
	data := map[string][]byte{}
	for _, provider := range Resolve(s).Providers {
		if provider.Type != v1alpha1.KeysManaged {
			continue
		}
		set, err := managedKeys(in, provider.Name)
		if err != nil {
			return nil, err
		}
		if data[authproxy.KeysFile(provider.Name)], err = keys.MarshalPrivate(set); err != nil {
			return nil, err
		}
		data[RotationFile(provider.Name)] = in.Rotations[provider.Name]
	}
	if len(data) == 0 {
		return nil, nil
	}
	return corev1ac.Secret(KeysSecretName(s), s.Namespace).
		WithLabels(labels(s)).
		WithOwnerReferences(owner(s)).
		WithData(data), nil
}

// GateSecret is what the gate and the operator share, and nobody else mounts.
func GateSecret(s *v1alpha1.MCPServer, in Inputs) *corev1ac.SecretApplyConfiguration {
	return corev1ac.Secret(GateSecretName(s), s.Namespace).
		WithLabels(labels(s)).
		WithOwnerReferences(owner(s)).
		WithData(in.GateSecret)
}

// PublicKeys is what the gate verifies with, as far as the operator publishes it, and the list of what is revoked.
func PublicKeys(s *v1alpha1.MCPServer, in Inputs) (*corev1ac.ConfigMapApplyConfiguration, error) {
	data := map[string]string{authproxy.RevokedFile: RevokedList(s, in.Revoked)}
	for _, provider := range Resolve(s).Providers {
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
		data[authproxy.KeysFile(provider.Name)] = string(encoded)
	}
	return corev1ac.ConfigMap(PublicKeysName(s), s.Namespace).
		WithLabels(labels(s)).
		WithOwnerReferences(owner(s)).
		WithData(data), nil
}
