package authprobe

import (
	"slices"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/token"
)

// policyOf is what the gate must enforce beside the tokens. control is the template of the tokens with which calls are
// tried: those of the first provider of a round. absent is a name that no server has.
func policyOf(server *v1alpha1.MCPServer, control token.Template, absent string) probe.Policy {
	auth, gate := v1alpha1.Auth{}, v1alpha1.Gate{}
	if server.Spec.Auth != nil {
		auth = *server.Spec.Auth
	}
	if server.Spec.Gate != nil {
		gate = *server.Spec.Gate
	}
	settings, rights := desired.Resolve(server), rightsOf(server, absent)
	out := probe.Policy{
		RequiredScopes: rights.required,
		Guarded:        rights.guarded(control),
		Forbidden:      rights.forbidden(control),
		Absent:         absent,
		SessionBinding: auth.SessionBinding != v1alpha1.SessionBindingOff,
		RevokedID:      desired.Revoked(server),
		RevokedSubject: desired.Revoked(server),
		RevokedBefore:  desired.RevokedBefore(server),
		Hosts:          true,
		Origins:        true,
		BodyBytes:      settings.BodyBytes,
		TokenBytes:     int(settings.TokenBytes),
		Slash:          probe.SlashDistinct,
		ExtraPaths:     slices.Clone(gate.ExtraPaths),
	}
	if gate.TrailingSlash == v1alpha1.TrailingSlashSame {
		out.Slash = probe.SlashSame
	}
	if auth.ResourceMetadata != nil {
		out.Metadata = &probe.ResourceMetadata{
			Resource: auth.ResourceMetadata.Resource, AuthorizationServers: auth.ResourceMetadata.AuthorizationServers,
		}
	}
	return out
}
