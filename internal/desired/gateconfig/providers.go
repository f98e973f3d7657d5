package gateconfig

import (
	"k8s.io/utils/ptr"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

// gateProvider is what the gate is told of a provider.
func gateProvider(p desired.Provider, in desired.Inputs) gateapi.Provider {
	out := gateapi.Provider{
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
		out.Keys.Format = gateapi.KeyFormat(p.Secret.Format)
		for _, key := range p.Secret.Keys {
			out.Keys.Files = append(out.Keys.Files, desired.MountedFile(p.Name, key))
		}
	}
	return out
}

func gateRemote(p desired.Provider) *gateapi.RemoteKeys {
	remote := &gateapi.RemoteKeys{
		JWKSURI:         p.Remote.JWKSURI,
		Discovery:       p.Remote.JWKSURI == "",
		AllowHTTP:       p.Remote.PlainHTTP == v1alpha1.PlainHTTPAllow,
		MaxStaleSeconds: ptr.Deref(p.Remote.MaxStaleSeconds, desired.DefaultMaxStaleSeconds),
	}
	if p.Remote.CASecretRef != nil {
		remote.CAFile = desired.MountedFile(p.Name, desired.CAKey(*p.Remote.CASecretRef))
	}
	return remote
}

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
