package probecredentials

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
	"github.com/mcp-gatehouse/gatehouse/internal/probeplan"
	"github.com/mcp-gatehouse/gatehouse/internal/token"
)

// addBrought adds the token that the spec names, to the provider whose issuer it names. It is read past the cache: whoever
// renews it may do so at any time.
func (g *reading) addBrought(ctx context.Context, public map[string][]keys.Public) error {
	ref := g.Settings.Probe.TokenSecret
	if ref == nil {
		return nil
	}
	key, from := desired.TokenKey(*ref), fmt.Sprintf("authProbe.tokenSecretRef: Secret %s, data key %s, ", ref.Name, desired.TokenKey(*ref))
	var secret corev1.Secret
	err := g.Live.Get(ctx, client.ObjectKey{Namespace: g.Server.Namespace, Name: ref.Name}, &secret)
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("read Secret %s: %w", ref.Name, err)
	}
	raw := strings.TrimSpace(string(secret.Data[key]))
	stated, unreadable := token.Read(raw)
	at := slices.IndexFunc(g.Settings.Providers, func(p desired.Provider) bool { return g.isOf(p, stated.Issuer) })
	switch {
	case apierrors.IsNotFound(err):
		g.Lack(fmt.Sprintf("authProbe.tokenSecretRef.name: there is no Secret %s in namespace %s. Create it, or name another.", ref.Name, g.Server.Namespace))
	case raw == "":
		g.Lack(fmt.Sprintf("authProbe.tokenSecretRef.key: Secret %s has no data key %s, or an empty one. Put the token there.", ref.Name, key))
	case unreadable != nil:
		g.Lack(from + "is no JWT. Put a token there as it is sent, without the scheme Bearer.")
	case !stated.Expires.IsZero() && !g.Now().Before(stated.Expires):
		g.Lack(from + "expired at " + stated.Expires.UTC().Format(time.RFC3339) + ". Have its issuer renew it.")
	case at < 0:
		g.Lack(from + "is of an issuer that no provider has. Put a token of one of them there.")
	default:
		p := g.Settings.Providers[at]
		g.AddToken(p, probeplan.BroughtToken, raw, public[p.Name])
	}
	return nil
}

// isOf tells that a token of the issuer, "" for none, is judged by the provider.
func (g *reading) isOf(p desired.Provider, issuer string) bool {
	if p.Type == v1alpha1.KeysCluster {
		return g.cluster.URL != "" && g.cluster.URL == issuer
	}
	return p.Issuer == issuer
}
