package desired

import (
	"slices"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

// Provider is a v1alpha1.Provider with every default filled in.
type Provider struct {
	Name string
	Type v1alpha1.KeysType
	// Issuer is empty if tokens name none; that of Cluster is in Inputs.
	Issuer    string
	Audiences []string
	// Algorithms are those accepted; those of Managed follow from the keys that exist.
	Algorithms              []keys.Algorithm
	TokenTypes              []string
	IdentityClaims          []string
	RequiredClaims          []authproxy.ClaimMatch
	ClockSkewSeconds        int32
	MaxTokenLifetimeSeconds int32
	// Managed is the algorithm of new keys of type Managed.
	Managed keys.Algorithm
	// Rotation is for keys of type Managed.
	Rotation Rotation
	// Secret is set for keys of type Secret, Remote for those of type Remote.
	Secret *v1alpha1.SecretKeys
	Remote *v1alpha1.RemoteKeys
}

// Issuer is the cluster's own issuer of ServiceAccount tokens.
type Issuer struct {
	URL  string
	Keys []keys.Public
	// Faulty names the keys beside these that are at fault and not used, each with the reason.
	Faulty []string
}

// ClusterAudience is what ServiceAccount tokens for a server must name. It does not hold the UID: the pods that ask for
// such a token are written before the server exists.
func ClusterAudience(s *v1alpha1.MCPServer) string { return "gatehouse:" + s.Namespace + "/" + s.Name }

const (
	defaultClockSkewSeconds = 30
	defaultTokenLifetime    = 86400
	defaultMaxStaleSeconds  = 86400
	defaultCAKey            = "ca.crt"
)

func resolveProviders(s *v1alpha1.MCPServer, preset preset) []Provider {
	var declared []v1alpha1.Provider
	if s.Spec.Auth != nil {
		declared = s.Spec.Auth.Providers
	}
	if len(declared) == 0 {
		declared = []v1alpha1.Provider{{Name: DefaultProvider, Keys: v1alpha1.ProviderKeys{Type: v1alpha1.KeysManaged}}}
	}
	var out []Provider
	for _, p := range declared {
		out = append(out, resolveProvider(s, p, preset))
	}
	return out
}

func resolveProvider(s *v1alpha1.MCPServer, p v1alpha1.Provider, preset preset) Provider {
	out := Provider{
		Name: p.Name, Type: p.Keys.Type, Issuer: p.Issuer, Audiences: p.Audiences,
		TokenTypes: p.TokenTypes, IdentityClaims: p.IdentityClaims,
		RequiredClaims: claimMatches(p.RequiredClaims), Secret: p.Keys.Secret, Remote: p.Keys.Remote,
	}
	for _, algorithm := range p.Algorithms {
		out.Algorithms = append(out.Algorithms, keys.Algorithm(algorithm))
	}
	lifetime := int32(defaultTokenLifetime)
	switch p.Keys.Type {
	case v1alpha1.KeysManaged:
		managed := firstNonNil(p.Keys.Managed, &v1alpha1.ManagedKeys{})
		out.Managed = keys.Algorithm(firstNonEmpty(managed.Algorithm, string(keys.EdDSA)))
		out.Issuer, out.Audiences = ManagedIssuer(s), []string{ManagedIssuer(s)}
	case v1alpha1.KeysCluster:
		out.Audiences = []string{ClusterAudience(s)}
		out.TokenTypes = []string{"", "JWT"} // the API server writes none; JWT means no more than that
	case v1alpha1.KeysRemote:
		out.Remote = firstNonNil(out.Remote, &v1alpha1.RemoteKeys{})
	case v1alpha1.KeysSecret:
		if out.Shared() && preset.sharedSecret != nil {
			lifetime = preset.sharedSecret.maxTokenLifetime
			out.TokenTypes = firstNonEmptyList(out.TokenTypes, preset.sharedSecret.tokenTypes)
			out.IdentityClaims = firstNonEmptyList(out.IdentityClaims, preset.sharedSecret.identityClaims)
		}
	}
	if len(out.Algorithms) == 0 && out.Type != v1alpha1.KeysManaged {
		out.Algorithms = defaultAlgorithms(out.Shared())
	}
	out.ClockSkewSeconds = valueOr(p.ClockSkewSeconds, defaultClockSkewSeconds)
	out.MaxTokenLifetimeSeconds = valueOr(p.MaxTokenLifetimeSeconds, lifetime)
	out.Rotation = resolveRotation(p.Keys.Managed, out.MaxTokenLifetimeSeconds, out.ClockSkewSeconds)
	return out
}

// Bare tells that a token has no claims but those of its issuer and "exp": any other would have it refused by the server.
func (s Settings) Bare(p Provider) bool {
	return p.Shared() && s.preset.sharedSecret != nil && p.MaxTokenLifetimeSeconds == 0
}

// Managed gives the provider whose key Gatehouse makes, if there is one.
func (s Settings) Managed() (Provider, bool) {
	i := slices.IndexFunc(s.Providers, func(p Provider) bool { return p.Type == v1alpha1.KeysManaged })
	if i < 0 {
		return Provider{}, false
	}
	return s.Providers[i], true
}

// Shared tells that the keys are shared secrets.
func (p Provider) Shared() bool {
	return p.Secret != nil && p.Secret.Format == v1alpha1.FormatSharedSecret
}

// defaultAlgorithms leaves it to each public key which algorithm it serves.
func defaultAlgorithms(shared bool) []keys.Algorithm {
	if shared {
		return []keys.Algorithm{keys.HS256}
	}
	return slices.DeleteFunc(keys.Algorithms(), keys.Algorithm.Symmetric)
}

// gateProvider is what the gate is told of a provider.
func gateProvider(p Provider, in Inputs) authproxy.Provider {
	out := authproxy.Provider{
		Name: p.Name, Issuer: p.Issuer, Audiences: p.Audiences, Algorithms: p.Algorithms,
		ClockSkewSeconds: p.ClockSkewSeconds, MaxTokenLifetimeSeconds: p.MaxTokenLifetimeSeconds,
		TokenTypes: p.TokenTypes, IdentityClaims: p.IdentityClaims, RequiredClaims: p.RequiredClaims,
	}
	switch p.Type {
	case v1alpha1.KeysManaged:
		out.Algorithms = algorithms(in.Keys[p.Name])
	case v1alpha1.KeysCluster:
		out.Issuer = in.Cluster.URL
	case v1alpha1.KeysRemote:
		out.Keys.Remote = gateRemote(p)
	case v1alpha1.KeysSecret:
		out.Keys.Format = authproxy.KeyFormat(p.Secret.Format)
		for _, key := range p.Secret.Keys {
			out.Keys.Files = append(out.Keys.Files, mountedFile(p.Name, key))
		}
	}
	return out
}

// claimMatches is what the gate is told of claims that must have certain values.
func claimMatches(wanted []v1alpha1.ClaimMatch) []authproxy.ClaimMatch {
	var out []authproxy.ClaimMatch
	for _, claim := range wanted {
		out = append(out, authproxy.ClaimMatch{Name: claim.Name, Values: claim.Values})
	}
	return out
}

func gateRemote(p Provider) *authproxy.RemoteKeys {
	remote := &authproxy.RemoteKeys{
		JWKSURI:         p.Remote.JWKSURI,
		Discovery:       p.Remote.JWKSURI == "",
		AllowHTTP:       p.Remote.PlainHTTP == v1alpha1.PlainHTTPAllow,
		MaxStaleSeconds: valueOr(p.Remote.MaxStaleSeconds, defaultMaxStaleSeconds),
	}
	if p.Remote.CASecretRef != nil {
		remote.CAFile = mountedFile(p.Name, CAKey(*p.Remote.CASecretRef))
	}
	return remote
}

// CAKey is the data key of a Secret with certificates.
func CAKey(ref v1alpha1.SecretKeyRef) string { return firstNonEmpty(ref.Key, defaultCAKey) }

// mountedFile is the name, in authproxy.KeysDir, of a data key of a provider's Secret. A provider's name has no dot, so
// no two providers share a file.
func mountedFile(provider, key string) string { return provider + "." + key }

// algorithms are those of the keys that exist, not of the spec: the spec speaks of keys made from now on.
func algorithms(set []keys.Private) []keys.Algorithm {
	var out []keys.Algorithm
	for _, algorithm := range keys.Algorithms() {
		for _, key := range set {
			if key.Algorithm() == algorithm {
				out = append(out, algorithm)
				break
			}
		}
	}
	return out
}

func firstNonEmptyList(a, b []string) []string {
	if len(a) > 0 {
		return a
	}
	return b
}
