package gateconfig

import (
	"cmp"
	"crypto/ed25519"
	"encoding/base64"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

// Authorization is what the gate is told of the rights of tokens.
func Authorization(s *v1alpha1.MCPServer) gateapi.Authorization {
	auth := *cmp.Or(s.Spec.Auth, &v1alpha1.Auth{})
	if auth.Authorization == nil {
		return gateapi.Authorization{}
	}
	out := gateapi.Authorization{
		RequiredScopes: auth.Authorization.RequiredScopes,
		DefaultAction:  gateapi.Action(auth.Authorization.DefaultAction),
	}
	for _, rule := range auth.Authorization.Rules {
		out.Rules = append(out.Rules, gateapi.Rule{
			Methods: rule.Methods, Tools: rule.Tools, Prompts: rule.Prompts, Resources: rule.Resources, Scopes: rule.Scopes,
			Claims: desired.ClaimMatches(rule.Claims),
		})
	}
	return out
}

// ResourceMetadata is what the gate is told of the metadata of RFC 9728; nil for none.
func ResourceMetadata(auth v1alpha1.Auth) *gateapi.ResourceMetadata {
	if auth.ResourceMetadata == nil {
		return nil
	}
	return &gateapi.ResourceMetadata{
		Resource:             auth.ResourceMetadata.Resource,
		AuthorizationServers: auth.ResourceMetadata.AuthorizationServers,
		ScopesSupported:      auth.ResourceMetadata.ScopesSupported,
	}
}

func claimHeaders(auth v1alpha1.Auth) []gateapi.ClaimHeader {
	if auth.Forward == nil {
		return nil
	}
	var out []gateapi.ClaimHeader
	for _, header := range auth.Forward.ClaimToHeaders {
		out = append(out, gateapi.ClaimHeader{Header: header.Header, Claim: header.Claim})
	}
	return out
}

func bareServerMode(settings desired.Settings) gateapi.BareServer {
	if settings.Probe.BareServer {
		return gateapi.BareServerOnce
	}
	return gateapi.BareServerOff
}

// probeKey is what a gate is told of the probe key; nil where nothing is to be signed with it.
func probeKey(s desired.Settings, key *keys.Public) *gateapi.ProbeKey {
	providers := s.ProbeKeyProviders()
	if key == nil || len(providers) == 0 {
		return nil
	}
	public, ok := key.Key.(ed25519.PublicKey)
	if !ok {
		return nil
	}
	return &gateapi.ProbeKey{ID: key.ID, PublicKey: base64.RawURLEncoding.EncodeToString(public), Providers: providers}
}
