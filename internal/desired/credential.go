package desired

import (
	"cmp"
	"slices"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
)

const defaultTokenKey = "token"

// ProbeKeyName is the name under which the probe key of a server is derived from the operator's master key. It holds the
// UID: a namesake that comes later has another key.
func ProbeKeyName(s *v1alpha1.MCPServer) string { return "gatehouse probe key " + string(s.UID) }

// TokenKey is the data key of a Secret with a token.
func TokenKey(ref v1alpha1.TokenSecretRef) string { return cmp.Or(ref.Key, defaultTokenKey) }

// ProbeKeyProviders names the providers for which gates accept the probe key as one more key: those whose own signing key
// the operator does not have. A server that gets the token itself refuses a request of the probe key, which brings it none:
// there is no probe key for it where another control shows that a good token is let in.
func (s Settings) ProbeKeyProviders() []string {
	if s.Probe.Credential != v1alpha1.CredentialProbeKey || s.ForwardAuthorization && slices.ContainsFunc(s.Providers, s.Signs) {
		return nil
	}
	var names []string
	for _, p := range s.Providers {
		if !s.Signs(p) && !p.Shared() {
			names = append(names, p.Name)
		}
	}
	return names
}

// Signs tells that the operator signs tokens of the provider with the provider's own key: one that it has made, or a shared
// secret for which it was told whose the tokens are.
func (s Settings) Signs(p Provider) bool {
	return p.Type == v1alpha1.KeysManaged || p.Shared() && len(s.Probe.Claims) > 0
}

// resolveCredential fills in how a good token is come by.
func (p *Probe) resolveCredential(spec *v1alpha1.AuthProbe, preset profilePreset) {
	p.Credential = v1alpha1.CredentialProbeKey
	claims := map[string]v1alpha1.ClaimValue{}
	if spec != nil {
		p.Credential = v1alpha1.ProbeCredential(cmp.Or(string(spec.Credential), string(p.Credential)))
		p.TokenSecret, claims = spec.TokenSecretRef, spec.Claims
	}
	if len(claims) == 0 && preset.sharedSecret != nil {
		claims = preset.sharedSecret.claims
	}
	if p.Credential == v1alpha1.CredentialNone {
		return
	}
	p.Claims = map[string]string{}
	for name, value := range claims {
		p.Claims[name] = string(value)
	}
}

// resolveBareServer: who says nothing gets what the profile presets.
func resolveBareServer(p *v1alpha1.AuthProbe, preset profilePreset) bool {
	if p == nil || p.BareServer == "" {
		return preset.bareServer
	}
	return p.BareServer == v1alpha1.BareServerOnce
}
