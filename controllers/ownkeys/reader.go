package ownkeys

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/keyobservation"
	"github.com/mcp-gatehouse/gatehouse/internal/keyturn"
)

// Reader reads the Secrets with the keys that the operator makes, with the step of each that is due.
type Reader struct {
	Cached       client.Reader
	Live         client.Reader
	Observations *keyobservation.Store
	Now          func() time.Time
}

func (k Reader) seen(pods []corev1.Pod) keyturn.Pods {
	return keyturn.Pods{All: pods, Observed: k.Observations, At: k.Now()}
}

// Managed reads the keys of Managed providers. The version of their Secret is put into versions.
func (k Reader) Managed(ctx context.Context, server *v1alpha1.MCPServer, pods []corev1.Pod, versions map[string]string) (out keyturn.Managed, err error) {
	secret, err := k.read(ctx, server, desired.KeysSecretName(server))
	if err != nil {
		return out, err
	}
	versions[secret.Name] = secret.ResourceVersion
	for _, provider := range desired.Resolve(server).Providers {
		if provider.Type != v1alpha1.KeysManaged {
			continue
		}
		if err := out.Add(server, provider, secret, k.seen(pods)); err != nil {
			return out, err
		}
	}
	return out, nil
}

// GateSecret reads the secret that gates share with the operator. The version of its Secret is put into versions.
func (k Reader) GateSecret(ctx context.Context, server *v1alpha1.MCPServer, pods []corev1.Pod, versions map[string]string) (keyturn.GateSecret, error) {
	secret, err := k.read(ctx, server, desired.GateSecretName(server))
	if err != nil {
		return keyturn.GateSecret{}, err
	}
	versions[secret.Name] = secret.ResourceVersion
	return keyturn.TurnOver(server, secret, k.seen(pods))
}

// read reads one of the server's own Secrets. One that is absent from the cache is asked for live, because a key
// that exists must never be made a second time. Absent, or not ours, gives an empty Secret with the name: what is not
// ours is told when it comes to writing it.
func (k Reader) read(ctx context.Context, server *v1alpha1.MCPServer, name string) (*corev1.Secret, error) {
	key := client.ObjectKey{Namespace: server.Namespace, Name: name}
	var secret corev1.Secret
	err := k.Cached.Get(ctx, key, &secret)
	if apierrors.IsNotFound(err) {
		err = k.Live.Get(ctx, key, &secret)
	}
	if apierrors.IsNotFound(err) || (err == nil && !desired.Owns(server, &secret)) {
		return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: name}}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read Secret %s: %w", name, err)
	}
	return &secret, nil
}
