package keyobjects

import (
	"errors"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
	"github.com/mcp-gatehouse/gatehouse/internal/keys/rotation"
)

var errNotManaged = errors.New("it has no provider of type Managed, so it has no keys of its own")

// ExportedKeys is what is to be kept of a server's Secret NAME-keys: what another MCPServer, or this one after a loss, needs to
// go on accepting the tokens that were signed. Nothing in it belongs to one cluster.
func ExportedKeys(s *v1alpha1.MCPServer, secret corev1.Secret, now time.Time) (*corev1.Secret, error) {
	provider, managed := desired.Resolve(s).Managed()
	if !managed {
		return nil, errNotManaged
	}
	file, record := gateapi.KeysFile(provider.Name), desired.RotationFile(provider.Name)
	if _, err := rotation.Decode(secret.Data[file], secret.Data[record], now); err != nil {
		return nil, fmt.Errorf("data key %s: %w", file, err)
	}
	return &corev1.Secret{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"},
		ObjectMeta: metav1.ObjectMeta{
			Name: desired.KeysSecretName(s), Annotations: map[string]string{v1alpha1.AnnotationIssuer: desired.ManagedIssuer(s)},
		},
		Data: map[string][]byte{file: secret.Data[file], record: secret.Data[record]},
	}, nil
}

// ImportedKeys is the Secret NAME-keys of a server with keys that were exported, or with those of a plain copy of such a Secret.
// Its owner is the server as it is now: with another, the garbage collector would delete it.
func ImportedKeys(s *v1alpha1.MCPServer, from corev1.Secret, now time.Time) (*corev1.Secret, rotation.Set, error) {
	provider, managed := desired.Resolve(s).Managed()
	if !managed {
		return nil, rotation.Set{}, errNotManaged
	}
	jwks, record, err := keysIn(from, provider.Name)
	if err != nil {
		return nil, rotation.Set{}, err
	}
	set, err := rotation.Decode(jwks, record, now)
	if err != nil {
		return nil, rotation.Set{}, fmt.Errorf("the keys to import: %w", err)
	}
	set.Lost = nil
	_, state, err := rotation.Encode(set)
	if err != nil {
		return nil, rotation.Set{}, err
	}
	made, err := KeysSecret(s, desired.Inputs{
		Keys: map[string][]keys.Private{provider.Name: set.Published()}, Rotations: map[string][]byte{provider.Name: state},
	})
	if err != nil {
		return nil, rotation.Set{}, err
	}
	secret := &corev1.Secret{}
	return secret, set, desired.Convert(made, secret)
}

// IssuerOf is the issuer of the tokens that exported keys have signed; empty if nothing tells, as of a plain copy that is not of
// this server.
func IssuerOf(s *v1alpha1.MCPServer, from corev1.Secret) string {
	if issuer := from.Annotations[v1alpha1.AnnotationIssuer]; issuer != "" {
		return issuer
	}
	if metav1.IsControlledBy(&from, s) {
		return desired.OwnIssuer(s)
	}
	return ""
}

// keysIn gives the key set of a Secret and what is known of it: that of the provider, or the only one there is.
func keysIn(from corev1.Secret, provider string) (jwks, record []byte, err error) {
	name := provider
	if _, found := from.Data[gateapi.KeysFile(provider)]; !found {
		var others []string
		for key := range from.Data {
			if other, isKeys := strings.CutSuffix(key, gateapi.KeysFile("")); isKeys {
				others = append(others, other)
			}
		}
		if len(others) != 1 {
			return nil, nil, fmt.Errorf("the Secret to import has no data key %s: it must be an export, or a copy, of a Secret NAME-keys", gateapi.KeysFile(provider))
		}
		name = others[0]
	}
	return from.Data[gateapi.KeysFile(name)], from.Data[desired.RotationFile(name)], nil
}
