package authhealth

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/probe"
)

// RejectedAdvice says what there is to do about a good token that was refused, where the spec tells more than the answer;
// empty where it does not.
func RejectedAdvice(server *v1alpha1.MCPServer, verdict probe.Verdict) string {
	settings := desired.Resolve(server)
	name, _, _ := strings.Cut(verdict.Provider, " ") // behind it stands whose token it was
	at := slices.IndexFunc(settings.Providers, func(p desired.Provider) bool {
		return p.Name == name || name == "" && len(settings.Providers) == 1
	})
	if verdict.Reason != "" && at >= 0 && settings.Providers[at].Shared() {
		return sharedAdvice(settings.Providers[at], verdict.Reason)
	}
	if verdict.Reason == "" && server.Spec.Profile == v1alpha1.ProfileQuilt {
		return quiltAdvice(settings)
	}
	return ""
}

// sharedAdvice is about tokens that were signed with another secret than the gate has: there is no key id that could be
// compared, and often no issuer and no audience.
func sharedAdvice(provider desired.Provider, reason string) string {
	if reason != string(gateapi.ReasonBadSignature) && reason != string(gateapi.ReasonUnknownKey) {
		return ""
	}
	return fmt.Sprintf(" Tokens of provider %s are checked with the shared secret in Secret %s, data key %s: it must be, byte for byte, "+
		"the one that their issuer signs with, also at its end.",
		provider.Name, provider.Secret.Name, strings.Join(provider.Secret.Keys, " or "))
}

func quiltAdvice(settings desired.Settings) string {
	if provider, lends := settings.Lends(); lends {
		return fmt.Sprintf(" A server up to 0.14 checks tokens itself, with the secret that it has read at its start (MCP_JWT_SECRET, of Secret %s, "+
			"data key %s). If that was changed since, its pods are being replaced; until then it refuses what the gate lets in. It takes no claims but id, uuid and exp.",
			provider.Secret.Name, provider.Secret.Keys[0])
	}
	return " From 0.15 on quilt-mcp-server takes any token. Is the image of an older release? Then set quilt.release to UpTo014, which hands it the shared secret."
}
