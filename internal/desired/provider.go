package desired

import (
	"cmp"
	"slices"

	"k8s.io/utils/ptr"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
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
	RequiredClaims          []gateapi.ClaimMatch
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
	defaultCAKey            = "ca.crt"

	// DefaultMaxStaleSeconds is how long remote keys are used after the last good fetch, unless the spec says otherwise.
	DefaultMaxStaleSeconds = 86400
)

func resolveProviders(s *v1alpha1.MCPServer, preset profilePreset) []Provider {
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

func resolveProvider(s *v1alpha1.MCPServer, p v1alpha1.Provider, preset profilePreset) Provider {
	out := Provider{
		Name: p.Name, Type: p.Keys.Type, Issuer: p.Issuer, Audiences: p.Audiences,
		TokenTypes: p.TokenTypes, IdentityClaims: p.IdentityClaims,
		RequiredClaims: ClaimMatches(p.RequiredClaims), Secret: p.Keys.Secret, Remote: p.Keys.Remote,
	}
	for _, algorithm := range p.Algorithms {
		out.Algorithms = append(out.Algorithms, keys.Algorithm(algorithm))
	}
	lifetime := int32(defaultTokenLifetime)
	switch p.Keys.Type {
	case v1alpha1.KeysManaged:
		managed := cmp.Or(p.Keys.Managed, &v1alpha1.ManagedKeys{})
		out.Managed = keys.Algorithm(cmp.Or(managed.Algorithm, string(keys.EdDSA)))
		out.Issuer, out.Audiences = ManagedIssuer(s), []string{ManagedIssuer(s)}
	case v1alpha1.KeysCluster:
		out.Audiences = []string{ClusterAudience(s)}
		out.TokenTypes = []string{"", "JWT"} // the API server writes none; JWT means no more than that
	case v1alpha1.KeysRemote:
		out.Remote = cmp.Or(out.Remote, &v1alpha1.RemoteKeys{})
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
	out.ClockSkewSeconds = ptr.Deref(p.ClockSkewSeconds, defaultClockSkewSeconds)
	out.MaxTokenLifetimeSeconds = ptr.Deref(p.MaxTokenLifetimeSeconds, lifetime)
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

// ClaimMatches is what the gate is told of claims that must have certain values.
func ClaimMatches(wanted []v1alpha1.ClaimMatch) []gateapi.ClaimMatch {
	var out []gateapi.ClaimMatch
	for _, claim := range wanted {
		out = append(out, gateapi.ClaimMatch{Name: claim.Name, Values: claim.Values})
	}
	return out
}

// CAKey is the data key of a Secret with certificates.
func CAKey(ref v1alpha1.SecretKeyRef) string { return cmp.Or(ref.Key, defaultCAKey) }

func firstNonEmptyList(a, b []string) []string {
	if len(a) > 0 {
		return a
	}
	return b
}
