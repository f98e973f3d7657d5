package probeplan

import (
	"cmp"
	"slices"
	"time"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/admin"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/telemetry/probeid"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/gatestate"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
	"github.com/mcp-gatehouse/gatehouse/internal/keys/rotation"
	"github.com/mcp-gatehouse/gatehouse/internal/keys/turnover"
	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/token"
)

// NewBuilder begins the credentials of a server.
func NewBuilder(server *v1alpha1.MCPServer) *Builder {
	settings := desired.Resolve(server)
	use := &Credentials{forwards: settings.ForwardAuthorization, Expected: gatestate.Expected{Kids: map[string][]string{}, Brought: map[string][]keys.Public{}}}
	return &Builder{Server: server, Settings: settings, Use: use, Why: map[string]string{}}
}

// Builder makes a server's credentials of what was read.
type Builder struct {
	Server   *v1alpha1.MCPServer
	Settings desired.Settings
	Use      *Credentials
	// Why tells of providers what stands in the way of a good token of theirs.
	Why map[string]string
}

// SetGateSecret takes the data of the gate's Secret, and reports whether they are what they must be.
func (b *Builder) SetGateSecret(data map[string][]byte, now time.Time) (usable bool, err error) {
	if b.Use.Admin, err = admin.NewKey(data[gateapi.SecretFile]); err != nil {
		return false, nil //nolint:nilerr // a Secret that is not what it must be is put right by its controller
	}
	if b.Use.IDs, err = probeid.NewKey(data[gateapi.SecretFile]); err != nil {
		return false, nil //nolint:nilerr // as above
	}
	b.Use.Secrets, _ = turnover.Decode(data, now, admin.SecretID)
	if b.Use.Secrets.Phase == turnover.Switched {
		b.Use.Former, err = admin.NewKey(b.Use.Secrets.Previous.Secret)
	}
	return true, err
}

// AddManaged adds the provider whose keys the operator makes: they sign, unless nothing is to be tried with.
func (b *Builder) AddManaged(p desired.Provider, set rotation.Set, now time.Time) {
	b.Use.Managed, b.Use.Kids[p.Name] = set, gatestate.DueKeys(set, now)
	if b.Settings.Probe.Credential == v1alpha1.CredentialNone {
		return
	}
	with := b.control(p, managedKey)
	with.OtherCaller, with.Retired = otherCaller(nil), set.Refused()
	with.Tokens = entitled(token.Template{
		Key: set.Published()[0], Issuer: p.Issuer, Audience: p.Audiences[0], Subject: gateapi.ProbeSubject, Lifetime: tokenLifetime,
	}, b.Server)
	b.add(with)
}

// AddToken adds a provider whose token somebody else has signed; the gates verify it with the public keys.
func (b *Builder) AddToken(p desired.Provider, from origin, raw string, public []keys.Public) {
	with := b.control(p, from)
	with.Bearer, with.Public = raw, public
	b.add(with)
}

// AddSigned adds a provider whose tokens the operator can sign: with the shared secret, or with the probe key. Of any other it notes
// the keys that a gate must have.
func (b *Builder) AddSigned(p desired.Provider, probeKey keys.Private, public []keys.Public) {
	b.Use.Kids[p.Name] = idsOf(p, public)
	switch {
	case p.Shared():
		if len(public) == 0 || !b.Settings.Signs(p) {
			return
		}
		if signer, shared := public[0].Signer(); shared {
			b.add(b.byShared(p, signer))
		}
	case probeKey.Algorithm() != "":
		with := b.control(p, byProbeKey)
		with.ProbeKey, with.Public, with.OtherCaller = true, public, otherCaller(p.IdentityClaims)
		with.OtherCaller["sub"] = gateapi.OtherProbeSubject
		template := token.Template{
			Key: probeKey, Type: typeOf(p.TokenTypes), Issuer: p.Issuer, Audience: cmp.Or(p.Audiences...),
			Subject: gateapi.ProbeSubject, Lifetime: tokenLifetime, Identity: p.IdentityClaims, Claims: required(p),
		}
		// Whatever a rule asks for, the subject is a reserved one: there is no other for this key.
		reserved := map[string]any{"sub": gateapi.ProbeSubject}
		for _, claim := range p.IdentityClaims {
			reserved[claim] = gateapi.ProbeSubject
		}
		with.Tokens = entitled(template, b.Server).With(reserved)
		b.add(with)
	}
}

// byShared signs with the shared secret itself, for whom the spec or the profile says.
func (b *Builder) byShared(p desired.Provider, signer keys.Private) Control {
	with := b.control(p, sharedSecret)
	with.OtherCaller = otherCaller(p.IdentityClaims)
	claims := required(p)
	for name, value := range b.Settings.Probe.Claims {
		claims[name] = value
	}
	with.Tokens = entitled(token.Template{
		Key: signer, Type: typeOf(p.TokenTypes), Issuer: p.Issuer, Audience: cmp.Or(p.Audiences...), Lifetime: tokenLifetime,
		Bare: b.Settings.Bare(p), Identity: p.IdentityClaims, Claims: claims,
	}, b.Server)
	return with
}

// Credentials returns the credentials, with the providers that are left without a good token.
func (b *Builder) Credentials() *Credentials {
	for _, p := range b.Settings.Providers {
		if slices.ContainsFunc(b.Use.Controls, func(with Control) bool { return with.Of == p.Name }) {
			continue
		}
		why := b.Why[p.Name]
		switch {
		case why != "":
		case b.Settings.Probe.Credential == v1alpha1.CredentialNone:
			why = "authProbe.credential is None."
		case p.Shared():
			why = "nobody has said whose its tokens are: set authProbe.claims."
		case b.Settings.Probe.Credential == v1alpha1.CredentialSecretRef:
			why = "the token of authProbe.tokenSecretRef is another provider's."
		default:
			why = "its server gets the tokens themselves, and a probe is never passed on to it: set authProbe.credential to SecretRef."
		}
		b.Use.Untried = append(b.Use.Untried, Untried{p.Name, why})
	}
	slices.SortStableFunc(b.Use.Controls, func(a, b Control) int { return cmp.Compare(a.From, b.From) })
	return b.Use
}

// control is what all controls of a provider have in common.
func (b *Builder) control(p desired.Provider, from origin) Control {
	var names []string
	for _, claim := range p.RequiredClaims {
		names = append(names, claim.Name)
	}
	return Control{
		Provider: probe.Provider{
			Name:             p.Name,
			MaxTokenLifetime: time.Duration(p.MaxTokenLifetimeSeconds) * time.Second,
			Leeway:           time.Duration(p.ClockSkewSeconds) * time.Second,
			Required:         names,
		},
		Of: p.Name, From: from,
	}
}

// add takes a control; the second of a provider gets a name that no provider can have.
func (b *Builder) add(with Control) {
	if slices.ContainsFunc(b.Use.Controls, func(other Control) bool { return other.Of == with.Of }) {
		with.Name += map[origin]string{AccountToken: " (ServiceAccount)", BroughtToken: " (tokenSecretRef)"}[with.From]
	}
	b.Use.Controls = append(b.Use.Controls, with)
}

// Lack says of every provider that has no other control why the token is none.
func (b *Builder) Lack(why string) {
	for _, p := range b.Settings.Providers {
		if b.Why[p.Name] == "" {
			b.Why[p.Name] = why
		}
	}
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
