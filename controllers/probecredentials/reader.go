package probecredentials

import (
	"cmp"
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/controllers/keysource"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
	"github.com/mcp-gatehouse/gatehouse/internal/keys/rotation"
	"github.com/mcp-gatehouse/gatehouse/internal/probeplan"
)

// Reader reads what a server's lock is tried with.
type Reader struct {
	// Client reads the operator's own Secrets, and Live past the cache.
	Client, Live client.Reader
	// Issuer reads the cluster's own issuer, brought the keys that users bring, master the probe keys, and account tokens of the
	// operator's own. Nil master or account: there are none.
	Issuer  *keysource.ClusterIssuer
	Brought *keysource.KeyReader
	Master  *keysource.ProbeMaster
	Account *Account
	Now     func() time.Time
}

// Of reads the server's Secrets, and what the operator has itself. Nil means that they are not there, or not
// usable, yet; the condition KeysReady says so.
func (r Reader) Of(ctx context.Context, server *v1alpha1.MCPServer) (*probeplan.Credentials, error) {
	private, err := SecretData(ctx, r.Client, server, desired.KeysSecretName(server))
	if err != nil {
		return nil, err
	}
	shared, err := SecretData(ctx, r.Client, server, desired.GateSecretName(server))
	if err != nil {
		return nil, err
	}
	g := reading{Reader: r, Builder: probeplan.NewBuilder(server)}
	if usable, err := g.SetGateSecret(shared, r.Now()); !usable || err != nil {
		return nil, err
	}
	if provider, managed := g.Settings.Managed(); managed {
		set, err := rotation.Decode(private[gateapi.KeysFile(provider.Name)], private[desired.RotationFile(provider.Name)], r.Now())
		if err != nil {
			return nil, nil //nolint:nilerr // the condition KeysReady tells what is wrong with the Secret
		}
		g.AddManaged(provider, set, r.Now())
	}
	if err := g.others(ctx); err != nil {
		return nil, err
	}
	return g.Credentials(), nil
}

// SecretData returns the data of one of the server's Secrets, empty while the Secret is not there, or not ours.
func SecretData(ctx context.Context, reader client.Reader, server *v1alpha1.MCPServer, name string) (map[string][]byte, error) {
	var secret corev1.Secret
	err := reader.Get(ctx, client.ObjectKey{Namespace: server.Namespace, Name: name}, &secret)
	if client.IgnoreNotFound(err) != nil {
		return nil, fmt.Errorf("read Secret %s: %w", name, err)
	}
	if !desired.Owns(server, &secret) {
		return nil, nil
	}
	return secret.Data, nil
}

// reading is one reading of a server's credentials.
type reading struct {
	Reader
	*probeplan.Builder

	// cluster is the cluster's own issuer, once it was asked.
	cluster desired.Issuer
}

// others adds all other providers.
func (g *reading) others(ctx context.Context) error {
	probeKey, err := g.probeKey(ctx)
	if err != nil {
		return err
	}
	public := map[string][]keys.Public{}
	for _, p := range g.Settings.Providers {
		switch p.Type {
		case v1alpha1.KeysManaged:
			continue
		case v1alpha1.KeysSecret:
			public[p.Name], g.Why[p.Name], err = g.Brought.Keys(ctx, g.Server.Namespace, p)
			g.Use.Brought[p.Name] = public[p.Name]
		case v1alpha1.KeysCluster:
			if p.Issuer, public[p.Name] = g.askCluster(ctx, p); p.Issuer == "" {
				continue
			}
		case v1alpha1.KeysRemote:
		}
		if err != nil {
			return fmt.Errorf("provider %s: %w", p.Name, err)
		}
		g.AddSigned(p, probeKey, public[p.Name])
		if p.Type == v1alpha1.KeysCluster {
			g.addAccount(ctx, p, public[p.Name])
		}
	}
	return g.addBrought(ctx, public)
}

// probeKey is the server's probe key; its zero value where none is used.
func (g *reading) probeKey(ctx context.Context) (keys.Private, error) {
	providers := g.Settings.ProbeKeyProviders()
	if len(providers) == 0 {
		return keys.Private{}, nil
	}
	key, found, err := g.Master.Key(ctx, g.Server)
	if !found {
		for _, name := range providers {
			g.Why[name] = "the operator has no namespace of its own (--namespace) in which to keep a probe key."
		}
		return keys.Private{}, err
	}
	g.Use.ProbeKey = key.ID()
	return key, err
}

// askCluster gives the cluster's issuer and its keys; an empty issuer if the API server does not tell.
func (g *reading) askCluster(ctx context.Context, p desired.Provider) (url string, usable []keys.Public) {
	issuer, err := g.Issuer.Read(ctx)
	if err != nil {
		g.Why[p.Name] = "the API server does not tell its issuer: the condition KeysReady says why."
		return "", nil
	}
	g.cluster = issuer
	for _, key := range issuer.Keys {
		if bound, fits := key.Bind(p.Algorithms); fits {
			usable = append(usable, bound)
		}
	}
	return issuer.URL, usable
}

// addAccount adds a token of the operator's own ServiceAccount, where it can be good: it has no scopes, and the lifetime that
// the API server gives it.
func (g *reading) addAccount(ctx context.Context, p desired.Provider, public []keys.Public) {
	longest := time.Duration(p.MaxTokenLifetimeSeconds) * time.Second
	scoped := g.Server.Spec.Auth.Authorization != nil && len(g.Server.Spec.Auth.Authorization.RequiredScopes) > 0
	if g.Settings.Probe.Credential != v1alpha1.CredentialProbeKey || scoped || longest > 0 && longest < accountTokenLifetime {
		return
	}
	raw, err := g.Account.token(ctx, cmp.Or(p.Audiences...))
	if err != nil {
		logf.FromContext(ctx).Info("the cluster's provider is tried with the probe key alone", "reason", err.Error())
	}
	if raw == "" {
		return
	}
	g.AddToken(p, probeplan.AccountToken, raw, public)
}
