package desired

import "github.com/mcp-gatehouse/gatehouse/api/v1alpha1"

// References names what users bring for a server, as "Secret NAME" or "ConfigMap NAME".
func References(s *v1alpha1.MCPServer) []string {
	var out []string
	settings := Resolve(s)
	for _, ref := range settings.SecretRefs() {
		out = append(out, "Secret "+ref.Name)
	}
	if settings.TLSSecret != "" {
		out = append(out, "Secret "+settings.TLSSecret)
	}
	if settings.Probe.TokenSecret != nil {
		out = append(out, "Secret "+settings.Probe.TokenSecret.Name)
	}
	if ref := RevokedRef(s); ref != nil {
		out = append(out, "ConfigMap "+ref.Name)
	}
	return out
}

// SecretRef is what a provider wants of a Secret of yours.
type SecretRef struct {
	Provider, Name string
	Keys           []string
	// Secret tells that what is in it opens the server, or may.
	Secret bool
}

// SecretRefs are the Secrets of yours with keys that the settings name.
func (s Settings) SecretRefs() []SecretRef {
	var refs []SecretRef
	for _, p := range s.Providers {
		if p.Secret != nil {
			refs = append(refs, SecretRef{Provider: p.Name, Name: p.Secret.Name, Keys: p.Secret.Keys, Secret: true})
		}
		if p.Remote != nil && p.Remote.CASecretRef != nil {
			refs = append(refs, SecretRef{Provider: p.Name, Name: p.Remote.CASecretRef.Name, Keys: []string{CAKey(*p.Remote.CASecretRef)}})
		}
	}
	return refs
}

// MountedFile is the name, in gateapi.KeysDir, of a data key of a provider's Secret. A provider's name has no dot, so
// no two providers share a file.
func MountedFile(provider, key string) string { return provider + "." + key }
