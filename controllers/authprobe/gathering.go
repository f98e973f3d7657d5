package authprobe

import (
	"context"
	"fmt"
	"slices"
	"time"

	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
	"github.com/mcp-gatehouse/gatehouse/internal/keys/rotation"
	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/token"
)

// gathering collects good tokens of a server's providers.
type gathering struct {
	r        *Reconciler
	server   *v1alpha1.MCPServer
	settings desired.Settings
	use      *credentials
	// cluster is the cluster's own issuer, once it was asked.
	cluster desired.Issuer
	// why tells of providers what stands in the way of a good token of theirs.
	why map[string]string
}

// managed adds the provider whose keys the operator makes: they sign, unless nothing is to be tried with.
func (g *gathering) managed(p desired.Provider, set rotation.Set) {
	g.use.kids[p.Name] = due(set, g.r.Now())
	if g.settings.Probe.Credential == v1alpha1.CredentialNone {
		return
	}
	with := g.control(p, managedKey)
	with.OtherCaller, with.Retired = otherCaller(nil), set.Refused()
	with.Tokens = entitled(token.Template{
		Key: set.Published()[0], Issuer: p.Issuer, Audience: p.Audiences[0], Subject: authproxy.ProbeSubject, Lifetime: tokenLifetime,
	}, g.server)
	g.add(with)
}

// others adds all other providers.
func (g *gathering) others(ctx context.Context) error {
	g.why = map[string]string{}
	probeKey, err := g.probeKey(ctx)
	if err != nil {
		return err
	}
	public := map[string][]keys.Public{}
	for _, p := range g.settings.Providers {
		switch p.Type {
		case v1alpha1.KeysManaged:
			continue
		case v1alpha1.KeysSecret:
			public[p.Name], g.why[p.Name], err = g.r.Brought.Keys(ctx, g.server.Namespace, p)
		case v1alpha1.KeysCluster:
			if p.Issuer, public[p.Name] = g.askCluster(ctx, p); p.Issuer == "" {
				continue
			}
		case v1alpha1.KeysRemote:
		}
		if err != nil {
			return fmt.Errorf("provider %s: %w", p.Name, err)
		}
		g.use.kids[p.Name] = idsOf(p, public[p.Name])
		g.sign(p, probeKey, public[p.Name])
		if p.Type == v1alpha1.KeysCluster {
			g.account(ctx, p, public[p.Name])
		}
	}
	if err := g.brought(ctx, public); err != nil {
		return err
	}
	g.tellUntried()
	return nil
}

// idsOf are the ids of the keys that a gate must have. What the API server publishes takes a while to come to gates, which
// nobody waits for.
func idsOf(p desired.Provider, set []keys.Public) []string {
	var ids []string
	if p.Type == v1alpha1.KeysSecret {
		for _, key := range set {
			ids = append(ids, key.ID)
		}
	}
	return ids
}

// probeKey is the server's probe key; its zero value where none is used.
func (g *gathering) probeKey(ctx context.Context) (keys.Private, error) {
	providers := g.settings.ProbeKeyProviders()
	if len(providers) == 0 {
		return keys.Private{}, nil
	}
	key, found, err := g.r.Master.Key(ctx, g.server)
	if !found {
		for _, name := range providers {
			g.why[name] = "the operator has no namespace of its own (--namespace) in which to keep a probe key."
		}
		return keys.Private{}, err
	}
	g.use.probeKey = key.ID()
	return key, err
}

// sign adds a provider whose tokens the operator can sign: with the shared secret, or with the probe key.
func (g *gathering) sign(p desired.Provider, probeKey keys.Private, public []keys.Public) {
	switch {
	case p.Shared():
		if len(public) == 0 || !g.settings.Signs(p) {
			return
		}
		if signer, shared := public[0].Signer(); shared {
			g.add(g.byShared(p, signer))
		}
	case probeKey.Algorithm() != "":
		with := g.control(p, byProbeKey)
		with.ProbeKey, with.Public, with.OtherCaller = true, public, otherCaller(p.IdentityClaims)
		with.OtherCaller["sub"] = authproxy.OtherProbeSubject
		template := token.Template{
			Key: probeKey, Type: typeOf(p.TokenTypes), Issuer: p.Issuer, Audience: firstOf(p.Audiences),
			Subject: authproxy.ProbeSubject, Lifetime: tokenLifetime, Identity: p.IdentityClaims, Claims: required(p),
		}
		// Whatever a rule asks for, the subject is a reserved one: there is no other for this key.
		reserved := map[string]any{"sub": authproxy.ProbeSubject}
		for _, claim := range p.IdentityClaims {
			reserved[claim] = authproxy.ProbeSubject
		}
		with.Tokens = entitled(template, g.server).With(reserved)
		g.add(with)
	}
}

// required are the claims without which the provider's tokens are not let in.
func required(p desired.Provider) map[string]any {
	claims := map[string]any{}
	for _, claim := range p.RequiredClaims {
		claims[claim.Name] = claim.Values[0]
	}
	return claims
}

// byShared signs with the shared secret itself, for whom the spec or the profile says.
func (g *gathering) byShared(p desired.Provider, signer keys.Private) control {
	with := g.control(p, sharedSecret)
	with.OtherCaller = otherCaller(p.IdentityClaims)
	claims := required(p)
	for name, value := range g.settings.Probe.Claims {
		claims[name] = value
	}
	with.Tokens = entitled(token.Template{
		Key: signer, Type: typeOf(p.TokenTypes), Issuer: p.Issuer, Audience: firstOf(p.Audiences), Lifetime: tokenLifetime,
		Bare: g.settings.Bare(p), Identity: p.IdentityClaims, Claims: claims,
	}, g.server)
	return with
}

// askCluster gives the cluster's issuer and its keys; an empty issuer if the API server does not tell.
func (g *gathering) askCluster(ctx context.Context, p desired.Provider) (url string, usable []keys.Public) {
	issuer, err := g.r.Issuer.Read(ctx)
	if err != nil {
		g.why[p.Name] = "the API server does not tell its issuer: the condition KeysReady says why."
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

// account adds a token of the operator's own ServiceAccount, where it can be good: it has no scopes, and the lifetime that
// the API server gives it.
func (g *gathering) account(ctx context.Context, p desired.Provider, public []keys.Public) {
	longest := time.Duration(p.MaxTokenLifetimeSeconds) * time.Second
	scoped := g.server.Spec.Auth.Authorization != nil && len(g.server.Spec.Auth.Authorization.RequiredScopes) > 0
	if g.settings.Probe.Credential != v1alpha1.CredentialProbeKey || scoped || longest > 0 && longest < accountTokenLifetime {
		return
	}
	raw, err := g.r.Account.token(ctx, firstOf(p.Audiences))
	if err != nil {
		logf.FromContext(ctx).Info("the cluster's provider is tried with the probe key alone", "reason", err.Error())
	}
	if raw == "" {
		return
	}
	with := g.control(p, accountToken)
	with.Bearer, with.Public = raw, public
	g.add(with)
}

// tellUntried lists the providers that are left without a good token.
func (g *gathering) tellUntried() {
	for _, p := range g.settings.Providers {
		if slices.ContainsFunc(g.use.controls, func(with control) bool { return with.of == p.Name }) {
			continue
		}
		why := g.why[p.Name]
		switch {
		case why != "":
		case g.settings.Probe.Credential == v1alpha1.CredentialNone:
			why = "authProbe.credential is None."
		case p.Shared():
			why = "nobody has said whose its tokens are: set authProbe.claims."
		case g.settings.Probe.Credential == v1alpha1.CredentialSecretRef:
			why = "the token of authProbe.tokenSecretRef is another provider's."
		default:
			why = "its server gets the tokens themselves, and a probe is never passed on to it: set authProbe.credential to SecretRef."
		}
		g.use.untried = append(g.use.untried, wanting{p.Name, why})
	}
}

// control is what all controls of a provider have in common.
func (g *gathering) control(p desired.Provider, from origin) control {
	var names []string
	for _, claim := range p.RequiredClaims {
		names = append(names, claim.Name)
	}
	return control{
		Provider: probe.Provider{
			Name:             p.Name,
			MaxTokenLifetime: time.Duration(p.MaxTokenLifetimeSeconds) * time.Second,
			Leeway:           time.Duration(p.ClockSkewSeconds) * time.Second,
			Required:         names,
		},
		of: p.Name, from: from,
	}
}

// add takes a control; the second of a provider gets a name that no provider can have.
func (g *gathering) add(with control) {
	if slices.ContainsFunc(g.use.controls, func(other control) bool { return other.of == with.of }) {
		with.Name += map[origin]string{accountToken: " (ServiceAccount)", broughtToken: " (tokenSecretRef)"}[with.from]
	}
	g.use.controls = append(g.use.controls, with)
}

// otherCaller gives the claims by which a token is another caller's.
func otherCaller(identity []string) map[string]any {
	if len(identity) == 0 {
		identity = []string{"sub"}
	}
	claims := map[string]any{}
	for _, claim := range identity {
		claims[claim] = authproxy.OtherProbeSubject
	}
	return claims
}

// typeOf chooses the type of a token among those that a provider's may have.
func typeOf(types []string) string {
	switch {
	case len(types) == 0 || slices.Contains(types, token.TypeAccessToken):
		return token.TypeAccessToken
	case types[0] == "":
		return token.NoType
	default:
		return types[0]
	}
}

func firstOf(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}
