package mcpserver

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/verify"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

// observeBrought reads the Secrets and the ConfigMap that the spec names, past the cache, which holds none of them. What is wrong with one
// is told with the field that names it.
func (r *Reconciler) observeBrought(ctx context.Context, server *v1alpha1.MCPServer, seen *observed) error {
	brought := reader{live: r.Live, parsed: &r.parsed, namespace: server.Namespace, seen: seen}
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
	if err := brought.certificate(ctx, desired.Resolve(server).TLSSecret); err != nil {
		return err
	}
	return brought.revoked(ctx, server)
}

// reader reads what users bring, and keeps account of its versions.
type reader struct {
	live      client.Reader
	parsed    *parsed
	namespace string
	seen      *observed
}

// secret reads a Secret that a field names.
func (b reader) secret(ctx context.Context, name, field string) (*corev1.Secret, error) {
	secret, found, err := b.find(ctx, name)
	if err == nil && !found {
		err = keyProblem(v1alpha1.ReasonKeyMissing, "%s: there is no Secret %s in namespace %s. Create it, or name another.", field, name, b.namespace)
	}
	return secret, err
}

// find reads a Secret, and notes the version of one that is there.
func (b reader) find(ctx context.Context, name string) (secret *corev1.Secret, found bool, err error) {
	secret = &corev1.Secret{}
	err = b.live.Get(ctx, client.ObjectKey{Namespace: b.namespace, Name: name}, secret)
	switch {
	case apierrors.IsNotFound(err):
		return nil, false, nil
	case err != nil:
		return nil, false, fmt.Errorf("read Secret %s: %w", name, err)
	}
	b.seen.mount("Secret", secret)
	return secret, true, nil
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
		set, err := b.parsed.parse(secret, name, provider.Secret.Format)
		if err != nil {
			return nil, keyProblem(v1alpha1.ReasonKeysUnusable, "%s: Secret %s, data key %s, cannot be used as %s: %v. Put a key there that can.",
				field, secret.Name, name, provider.Secret.Format, err)
		}
		for _, fault := range set.Faulty {
			b.seen.faulty = append(b.seen.faulty, fmt.Sprintf("field %s: Secret %s, data key %s, %s", field, secret.Name, name, fault))
		}
		usable := bound(set.Keys, provider.Algorithms)
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

// certificate checks the one that clients are to be shown; an empty name is none.
func (b reader) certificate(ctx context.Context, name string) error {
	const field = "spec.gate.tls.secretRef.name"
	if name == "" {
		return nil
	}
	secret, found, err := b.find(ctx, name)
	switch {
	case err != nil:
		return err
	case !found:
		return specProblem(v1alpha1.ReasonCertificateUnusable, "%s: there is no Secret %s in namespace %s. Create it, or name another.", field, name, b.namespace)
	}
	// The library's message names no key material.
	if _, err := tls.X509KeyPair(secret.Data[authproxy.TLSCertFile], secret.Data[authproxy.TLSKeyFile]); err != nil {
		return specProblem(v1alpha1.ReasonCertificateUnusable, "%s: Secret %s has no certificate in %s with its key in %s: %v. Put them there.",
			field, name, authproxy.TLSCertFile, authproxy.TLSKeyFile, err)
	}
	return nil
}

// revoked reads the list of what is no longer accepted.
func (b reader) revoked(ctx context.Context, server *v1alpha1.MCPServer) error {
	const field = "spec.auth.revoked.configMapRef"
	ref := desired.RevokedRef(server)
	if ref == nil {
		return nil
	}
	var list corev1.ConfigMap
	err := b.live.Get(ctx, client.ObjectKey{Namespace: b.namespace, Name: ref.Name}, &list)
	switch {
	case apierrors.IsNotFound(err):
		return specProblem(v1alpha1.ReasonRevocationsUnusable, "%s.name: there is no ConfigMap %s in namespace %s. Create it, or name another.", field, ref.Name, b.namespace)
	case err != nil:
		return fmt.Errorf("read ConfigMap %s: %w", ref.Name, err)
	}
	text, found := list.Data[desired.RevokedKey(*ref)]
	if !found {
		return specProblem(v1alpha1.ReasonRevocationsUnusable, "%s.key: ConfigMap %s has no data key %s. Add it; an empty one revokes nothing.", field, ref.Name, desired.RevokedKey(*ref))
	}
	if _, err := verify.ParseRevocations([]byte(desired.RevokedList(server, text))); err != nil {
		return specProblem(v1alpha1.ReasonRevocationsUnusable, "%s: ConfigMap %s, data key %s, cannot be read: %s. Mend these lines.",
			field, ref.Name, desired.RevokedKey(*ref), strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	b.seen.revoked = text
	return nil
}

// specProblem is something wrong with what the spec names, told behind the field; what runs stays as it is.
func specProblem(reason, format string, args ...any) *problem {
	return &problem{v1alpha1.ConditionAccepted, reason, "Field " + fmt.Sprintf(format, args...) + " What runs stays as it is."}
}

// keyProblem is something wrong with keys, told behind the field that names them; what runs keeps those that it has.
func keyProblem(reason, format string, args ...any) *problem {
	return &problem{v1alpha1.ConditionKeysReady, reason, "Field " + fmt.Sprintf(format, args...) + " Pods keep the keys they have."}
}

// mount notes the version of an object that the gate mounts.
func (seen *observed) mount(kind string, object metav1.Object) {
	seen.mounted = append(seen.mounted, strings.Join([]string{kind, object.GetName(), string(object.GetUID()), object.GetResourceVersion()}, " "))
}
