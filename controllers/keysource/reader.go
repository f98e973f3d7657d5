package keysource

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/authn/revocation"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
	"github.com/mcp-gatehouse/gatehouse/internal/terminal"
)

// Objects are what was read of the objects that a spec names.
type Objects struct {
	// Faulty names what is at fault and not used, each with the reason.
	Faulty []string
	// Revoked is the users' list of what is no longer accepted.
	Revoked string
	// Mounted are the versions of those that the gate mounts.
	Mounted []string
}

// Reader reads what users bring, and keeps account of its versions.
type Reader struct {
	Live      client.Reader
	Parsed    *Parsed
	Namespace string
	Into      *Objects
	Now       time.Time
}

// secret reads a Secret that a field names.
func (b Reader) secret(ctx context.Context, name, field string) (*corev1.Secret, error) {
	secret, found, err := b.find(ctx, name)
	if err == nil && !found {
		err = terminal.Keys(v1alpha1.ReasonKeyMissing, "%s: there is no Secret %s in namespace %s. Create it, or name another.", field, name, b.Namespace)
	}
	return secret, err
}

// find reads a Secret, and notes the version of one that is there.
func (b Reader) find(ctx context.Context, name string) (secret *corev1.Secret, found bool, err error) {
	secret = &corev1.Secret{}
	err = b.Live.Get(ctx, client.ObjectKey{Namespace: b.Namespace, Name: name}, secret)
	switch {
	case apierrors.IsNotFound(err):
		return nil, false, nil
	case err != nil:
		return nil, false, fmt.Errorf("read Secret %s: %w", name, err)
	}
	b.Into.mount("Secret", secret)
	return secret, true, nil
}

// data gives a data key of a Secret.
func (b Reader) data(secret *corev1.Secret, key, field string) ([]byte, error) {
	data, found := secret.Data[key]
	if !found {
		return nil, terminal.Keys(v1alpha1.ReasonKeyMissing, "%s: Secret %s has no data key %s. Add it, or take it out of the list.", field, secret.Name, key)
	}
	return data, nil
}

// Keys are those of all the data keys that the provider names, each once. One that no algorithm of the provider fits is an
// error: it would verify nothing.
func (b Reader) Keys(ctx context.Context, provider desired.Provider, field string) ([]keys.Public, error) {
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
		set, err := b.Parsed.parse(secret, name, provider.Secret.Format)
		if err != nil {
			return nil, terminal.Keys(v1alpha1.ReasonKeysUnusable, "%s: Secret %s, data key %s, cannot be used as %s: %v. Put a key there that can.",
				field, secret.Name, name, provider.Secret.Format, err)
		}
		for _, fault := range set.Faulty {
			b.Into.Faulty = append(b.Into.Faulty, fmt.Sprintf("field %s: Secret %s, data key %s, %s", field, secret.Name, name, fault))
		}
		usable := Bound(set.Keys, provider.Algorithms)
		if len(usable) == 0 {
			return nil, terminal.Keys(v1alpha1.ReasonKeysUnusable, "%s: Secret %s, data key %s (%d bytes), has no key that serves one of %v. Change it, or algorithms.",
				field, secret.Name, name, len(data), provider.Algorithms)
		}
		all = append(all, usable...)
	}
	return Unique(all), nil
}

// Bound gives those keys that serve one of the algorithms.
func Bound(set []keys.Public, algorithms []keys.Algorithm) []keys.Public {
	var usable []keys.Public
	for _, key := range set {
		if key, fits := key.Bind(algorithms); fits {
			usable = append(usable, key)
		}
	}
	return usable
}

// Unique leaves out what is there twice: an issuer may have one name for several keys, each of another algorithm.
func Unique(set []keys.Public) []keys.Public {
	var out []keys.Public
	for _, key := range set {
		if !slices.ContainsFunc(out, func(k keys.Public) bool { return reflect.DeepEqual(k, key) }) {
			out = append(out, key)
		}
	}
	return out
}

// Certificates checks that there are any.
func (b Reader) Certificates(ctx context.Context, ref v1alpha1.SecretKeyRef, field string) error {
	secret, err := b.secret(ctx, ref.Name, field+".name")
	if err != nil {
		return err
	}
	data, err := b.data(secret, desired.CAKey(ref), field+".key")
	if err != nil {
		return err
	}
	for _, fault := range expiring(data, b.Now) {
		b.Into.Faulty = append(b.Into.Faulty, fmt.Sprintf("field %s: Secret %s, data key %s, %s", field, ref.Name, desired.CAKey(ref), fault))
	}
	if !x509.NewCertPool().AppendCertsFromPEM(data) {
		return terminal.Keys(v1alpha1.ReasonKeysUnusable, "%s: Secret %s, data key %s, holds no certificate in PEM. Put the issuer's CA there.", field, ref.Name, desired.CAKey(ref))
	}
	return nil
}

// expiring says which certificates of a bundle have expired; keys are not fetched from an issuer whose certificate is signed by
// such a one.
func expiring(bundle []byte, now time.Time) []string {
	var faults []string
	for block, rest := pem.Decode(bundle); block != nil; block, rest = pem.Decode(rest) {
		parsed, err := x509.ParseCertificate(block.Bytes)
		if err == nil && !now.Before(parsed.NotAfter) {
			faults = append(faults, fmt.Sprintf("certificate %s expired at %s: keys of an issuer that it vouches for cannot be fetched. Put its successor there", parsed.Subject, parsed.NotAfter.UTC().Format(time.RFC3339)))
		}
	}
	return faults
}

// Certificate checks the one that clients are to be shown; an empty name is none.
func (b Reader) Certificate(ctx context.Context, name string) error {
	const field = "spec.gate.tls.secretRef.name"
	if name == "" {
		return nil
	}
	secret, found, err := b.find(ctx, name)
	switch {
	case err != nil:
		return err
	case !found:
		return terminal.Spec(v1alpha1.ReasonCertificateUnusable, "%s: there is no Secret %s in namespace %s. Create it, or name another.", field, name, b.Namespace)
	}
	// The library's message names no key material.
	if _, err := tls.X509KeyPair(secret.Data[gateapi.TLSCertFile], secret.Data[gateapi.TLSKeyFile]); err != nil {
		return terminal.Spec(v1alpha1.ReasonCertificateUnusable, "%s: Secret %s has no certificate in %s with its key in %s: %v. Put them there.",
			field, name, gateapi.TLSCertFile, gateapi.TLSKeyFile, err)
	}
	return nil
}

// Revoked reads the list of what is no longer accepted. Of one with faulty lines, those that can be used are noted.
func (b Reader) Revoked(ctx context.Context, server *v1alpha1.MCPServer) error {
	const field = "spec.auth.revoked.configMapRef"
	ref := desired.RevokedRef(server)
	if ref == nil {
		return nil
	}
	var list corev1.ConfigMap
	err := b.Live.Get(ctx, client.ObjectKey{Namespace: b.Namespace, Name: ref.Name}, &list)
	switch {
	case apierrors.IsNotFound(err):
		return terminal.Spec(v1alpha1.ReasonRevocationsUnusable, "%s.name: there is no ConfigMap %s in namespace %s. Create it, or name another.", field, ref.Name, b.Namespace)
	case err != nil:
		return fmt.Errorf("read ConfigMap %s: %w", ref.Name, err)
	}
	text, found := list.Data[desired.RevokedKey(*ref)]
	if !found {
		return terminal.Spec(v1alpha1.ReasonRevocationsUnusable, "%s.key: ConfigMap %s has no data key %s. Add it; an empty one revokes nothing.", field, ref.Name, desired.RevokedKey(*ref))
	}
	if _, err := revocation.Parse([]byte(desired.RevokedList(server, text))); err != nil {
		b.Into.Revoked = strings.Join(revocation.Usable([]byte(text)), "\n")
		return terminal.Spec(v1alpha1.ReasonRevocationsUnusable, "%s: ConfigMap %s, data key %s, cannot be read: %s. Mend these lines.",
			field, ref.Name, desired.RevokedKey(*ref), strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	b.Into.Revoked = text
	return nil
}

// mount notes the version of an object that the gate mounts.
func (o *Objects) mount(kind string, object metav1.Object) {
	o.Mounted = append(o.Mounted, strings.Join([]string{kind, object.GetName(), string(object.GetUID()), object.GetResourceVersion()}, " "))
}
