package gatestate

import (
	"time"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/desired/podlock"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/admin"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
	"github.com/mcp-gatehouse/gatehouse/internal/keys/turnover"
	"github.com/mcp-gatehouse/gatehouse/internal/publication"
)

// keySource knows what was published of a provider's keys.
type keySource struct {
	comparison

	provider string
	prints   admin.Fingerprinter
	// managed and brought tell that the keys are those, beside what the history has.
	managed, brought bool
	object, name     string
	known            map[*keys.Public]map[string]bool
}

// source is that of a provider whose keys are mounted in the gate; false for any other, and while the secret is not known that
// the gate makes fingerprints with: that it has that one is told apart.
func (c comparison) source(provider string) (keySource, bool) {
	out := keySource{comparison: c, provider: provider, prints: c.fingerprinter(), known: map[*keys.Public]map[string]bool{}}
	if out.prints == (admin.Fingerprinter{}) {
		return out, false
	}
	for _, p := range desired.Resolve(c.server).Providers {
		if p.Name != provider {
			continue
		}
		out.name = desired.PublicKeysName(c.server)
		out.object = "ConfigMap " + out.name
		switch p.Type {
		case v1alpha1.KeysManaged:
			out.managed = true
		case v1alpha1.KeysSecret:
			out.brought, out.name, out.object = true, "", "Secret "+p.Secret.Name
		case v1alpha1.KeysRemote:
			return out, false
		case v1alpha1.KeysCluster:
		}
		return out, c.isRead(p) && (out.managed && len(c.must.Managed.Keys) > 0 || c.history.Known())
	}
	return out, false
}

// isRead reports whether the operator reads the keys that the gate has of a provider. It does not where the pod is of an earlier
// template and keeps its configuration, by which these keys are from a Secret that the spec names no more, or fetched.
func (c comparison) isRead(provider desired.Provider) bool {
	_, settled := c.history.Newest()
	if settled == nil {
		return true
	}
	config, err := gateapi.ParseConfig([]byte(settled.Config.Data[configKey(c.pod, c.said.ConfigSchema)]))
	if err != nil {
		return true // It has none, or one of another schema.
	}
	for _, known := range config.Providers {
		switch {
		case known.Name != provider.Name:
		case known.Keys.Remote != nil:
			return false
		case len(known.Keys.Files) > 0:
			return provider.Secret != nil && podlock.GateMounts(c.pod.Spec, provider.Secret.Name)
		}
	}
	return true
}

// fingerprinter is that of the secret that the gate goes by; its zero value if that is none of those that there are.
func (c comparison) fingerprinter() (out admin.Fingerprinter) {
	for _, generation := range []turnover.Generation{c.must.Secrets.Current, c.must.Secrets.Next, c.must.Secrets.Previous} {
		if generation.ID == c.said.Secrets.Current && len(generation.Secret) > 0 {
			out, _ = admin.NewFingerprinter(generation.Secret)
		}
	}
	return out
}

// standing is how a key that the gate has stands. Of those that the operator makes it knows all there ever were.
func (s keySource) standing(fingerprint string) (standing publication.Standing, superseded time.Time) {
	if s.brought && s.has(s.must.Brought[s.provider], fingerprint) {
		return publication.Current, time.Time{}
	}
	standing = publication.Foreign
	if s.history.Known() {
		standing, superseded = s.history.Stands(func(p publication.Version) bool { return s.has(p.Keys[s.provider], fingerprint) }, s.now)
	}
	if !s.managed || standing <= publication.Recent {
		return standing, superseded
	}
	for _, key := range s.must.Managed.Keys {
		if key.Private.ID() == "" || !s.has([]keys.Public{key.Private.Public()}, fingerprint) {
			continue
		}
		if !key.Phase.Withdrawn() || s.now.Sub(key.Since) < publication.Propagation {
			return publication.Recent, time.Time{}
		}
		return publication.Outdated, key.Since
	}
	if standing == publication.Outdated {
		return standing, superseded
	}
	return publication.Foreign, time.Time{}
}

// has tells whether a key of the set has a fingerprint.
func (s keySource) has(set []keys.Public, fingerprint string) bool {
	if len(set) == 0 {
		return false
	}
	if s.known[&set[0]] == nil {
		all := map[string]bool{}
		for _, key := range set {
			// One that has none is told apart from all.
			if made, err := s.prints.Of(s.provider, key); err == nil {
				all[made] = true
			}
		}
		s.known[&set[0]] = all
	}
	return s.known[&set[0]][fingerprint]
}
