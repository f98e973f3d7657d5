package mcpserver

import (
	"context"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

// observeBrought reads the Secrets that the spec names, past the cache, which holds none of them. What is wrong with one
// is told with the field that names it.
func (r *Reconciler) observeBrought(ctx context.Context, server *v1alpha1.MCPServer, seen *observed) error {
	brought := reader{r: r, namespace: server.Namespace, seen: seen}
	for i, provider := range desired.Resolve(server).Providers {
		field := fmt.Sprintf("spec.auth.providers[%d].keys", i)
		if provider.Secret != nil {
			set, err := brought.keys(ctx, provider, field+".secret")
			if err != nil {
				return err
			}
			seen.public[provider.Name] = set
		}
		if provider.Remote != nil && provider.Remote.CASecretRef != nil {
			if err := brought.certificates(ctx, *provider.Remote.CASecretRef, field+".remote.caSecretRef"); err != nil {
				return err
			}
		}
	}
	return nil
}

// reader reads what users bring, and keeps account of its versions.
type reader struct {
	r         *Reconciler
	namespace string
	seen      *observed
}

// secret reads a Secret that a field names.
func (b reader) secret(ctx context.Context, name, field string) (*corev1.Secret, error) {
	var secret corev1.Secret
	err := b.r.Live.Get(ctx, client.ObjectKey{Namespace: b.namespace, Name: name}, &secret)
	switch {
	case apierrors.IsNotFound(err):
		return nil, keyProblem(v1alpha1.ReasonKeyMissing, "%s: there is no Secret %s in namespace %s. Create it, or name another.", field, name, b.namespace)
	case err != nil:
		return nil, fmt.Errorf("read Secret %s: %w", name, err)
	}
	b.seen.mount("Secret", &secret)
	return &secret, nil
}

// data gives a data key of a Secret.
func (b reader) data(secret *corev1.Secret, key, field string) ([]byte, error) {
	data, found := secret.Data[key]
	if !found {
		return nil, keyProblem(v1alpha1.ReasonKeyMissing, "%s: Secret %s has no data key %s. Add it, or take it out of the list.", field, secret.Name, key)
	}
	return data, nil
}

// keys are those of all the data keys that the provider names, each once. One that no algorithm of the provider fits is an
// error: it would verify nothing.
func (b reader) keys(ctx context.Context, provider desired.Provider, field string) ([]keys.Public, error) {
	secret, err := b.secret(ctx, provider.Secret.Name, field+".name")
	if err != nil {
		return nil, err
	}
	var all []keys.Public
	for i, name := range provider.Secret.Keys {
		field := fmt.Sprintf("%s.keys[%d]", field, i)
		data, err := b.data(secret, name, field)
		if err != nil {
			return nil, err
		}
		set, err := b.r.parsed.parse(secret, name, provider.Secret.Format)
		if err != nil {
			return nil, keyProblem(v1alpha1.ReasonKeysUnusable, "%s: Secret %s, data key %s, cannot be used as %s: %v. Put a key there that can.",
				field, secret.Name, name, provider.Secret.Format, err)
		}
		usable := bound(set, provider.Algorithms)
		if len(usable) == 0 {
			return nil, keyProblem(v1alpha1.ReasonKeysUnusable, "%s: Secret %s, data key %s (%d bytes), has no key that serves one of %v. Change it, or algorithms.",
				field, secret.Name, name, len(data), provider.Algorithms)
		}
		all = append(all, usable...)
	}
	return unique(all), nil
}

// bound gives those keys that serve one of the algorithms.
func bound(set []keys.Public, algorithms []keys.Algorithm) []keys.Public {
	var usable []keys.Public
	for _, key := range set {
		if key, fits := key.Bind(algorithms); fits {
			usable = append(usable, key)
		}
	}
	return usable
}

func unique(set []keys.Public) []keys.Public {
	var out []keys.Public
	for _, key := range set {
		if !slices.ContainsFunc(out, func(k keys.Public) bool { return k.ID == key.ID }) {
			out = append(out, key)
		}
	}
	return out
}

// certificates checks that there are any.
func (b reader) certificates(ctx context.Context, ref v1alpha1.SecretKeyRef, field string) error {
	secret, err := b.secret(ctx, ref.Name, field+".name")
	if err != nil {
		return err
	}
	data, err := b.data(secret, desired.CAKey(ref), field+".key")
	if err != nil {
		return err
	}
	if !x509.NewCertPool().AppendCertsFromPEM(data) {
		return keyProblem(v1alpha1.ReasonKeysUnusable, "%s: Secret %s, data key %s, holds no certificate in PEM. Put the issuer's CA there.", field, ref.Name, desired.CAKey(ref))
	}
	return nil
}

// keyProblem is something wrong with keys, told behind the field that names them; what runs keeps those that it has.
func keyProblem(reason, format string, args ...any) *problem {
	return &problem{v1alpha1.ConditionKeysReady, reason, "Field " + fmt.Sprintf(format, args...) + " Pods keep the keys they have."}
}

// mount notes the version of an object that the gate mounts.
func (o *observed) mount(kind string, object metav1.Object) {
	o.mounted = append(o.mounted, strings.Join([]string{kind, object.GetName(), string(object.GetUID()), object.GetResourceVersion()}, " "))
}
