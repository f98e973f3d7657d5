package gatestate

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/admin"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/mask"
	"github.com/mcp-gatehouse/gatehouse/internal/publication"
)

// Differences lists what a gate has loaded and that must not be there, the worst first. What it lacks is not among it: that lets
// nobody in.
func Differences(history publication.History, server *v1alpha1.MCPServer, pod corev1.Pod, said admin.State, must Expected, now time.Time) []Difference {
	look := comparison{history: history, server: server, pod: pod, said: said, must: must, now: now}
	found := slices.Concat(look.secrets(), look.keys(), look.configuration(), look.revocations())
	slices.SortStableFunc(found, func(a, b Difference) int { return int(b.standing) - int(a.standing) })
	return found
}

// comparison is one look at what a gate says that it has loaded.
type comparison struct {
	history publication.History
	server  *v1alpha1.MCPServer
	pod     corev1.Pod
	said    admin.State
	must    Expected
	now     time.Time
}

// secrets compares the generations of the gate's secret. Gates of older releases do not say which they have.
func (c comparison) secrets() []Difference {
	var out []Difference
	set, name := c.must.Secrets, desired.GateSecretName(c.server)
	for _, id := range c.said.Secrets.Loaded() {
		standing := publication.Foreign
		switch id {
		case set.Current.ID, set.Next.ID, set.Previous.ID:
			continue
		case set.Withdrawn:
			if standing = publication.Outdated; c.now.Sub(set.Since) < publication.Propagation {
				continue
			}
		}
		out = append(out, Difference{
			standing: standing, superseded: set.Since, part: "gate's secret", what: "the secret " + id,
			harm: "Whoever has it can forge sessions, and what the gate says of itself.", object: "Secret " + name, name: name,
		})
	}
	return out
}

// configuration compares the file of the gate's schema. While that may be on its way, missing tells it.
func (c comparison) configuration() []Difference {
	schema := c.said.ConfigSchema
	isThere := func(p publication.Version) bool { return Digest(p.Config, c.pod, schema) != "" }
	if standing, _ := c.history.Stands(isThere, c.now); !c.history.Known() || standing > publication.Recent {
		return nil
	}
	standing, superseded := c.history.Stands(func(p publication.Version) bool { return Digest(p.Config, c.pod, schema) == c.said.ConfigSHA256 }, c.now)
	if standing < publication.Outdated {
		return nil
	}
	name := desired.GateConfigName(c.server)
	return []Difference{{
		standing: standing, superseded: superseded, part: "configuration", what: "a configuration",
		harm:   "It may let in whom the spec keeps out.",
		object: "ConfigMap " + name, name: name,
	}}
}

// revocations compares the list of what is no longer accepted. An operator that was replaced a moment ago may have written
// another one: what is asked of the gate goes by that.
func (c comparison) revocations() []Difference {
	tells := c.said.RevokedSHA256 != "" || c.said.Fingerprints != nil && c.said.UptimeSeconds >= int64(publication.Propagation.Seconds())
	if !c.history.Known() || !tells {
		return nil
	}
	standing, superseded := c.history.Stands(func(p publication.Version) bool {
		sum := sha256.Sum256([]byte(p.Lists.Data[gateapi.RevokedFile]))
		return c.said.RevokedSHA256 == hex.EncodeToString(sum[:])
	}, c.now)
	if standing < publication.Outdated {
		return nil
	}
	name := desired.PublicKeysName(c.server)
	return []Difference{{
		standing: standing, superseded: superseded, part: "list of revocations", what: "a list of revocations",
		harm:   "It may let in tokens and users that are revoked.",
		object: "ConfigMap " + name, name: name,
	}}
}

// keys compares the keys of each provider, by all that makes one another. Gates of older releases tell their names alone, and
// those that a gate fetches the operator does not know.
func (c comparison) keys() []Difference {
	var out []Difference
	for _, provider := range slices.Sorted(maps.Keys(c.said.Fingerprints)) {
		source, isMounted := c.source(provider)
		if !isMounted {
			continue
		}
		for i, fingerprint := range c.said.Fingerprints[provider] {
			standing, superseded := source.standing(fingerprint)
			if standing <= publication.Recent {
				continue
			}
			kid := ""
			if i < len(c.said.Keys[provider]) {
				kid = c.said.Keys[provider][i]
			}
			out = append(out, Difference{
				standing: standing, superseded: superseded,
				part: "key set of provider " + provider, what: fmt.Sprintf("the key %s of provider %s", mask.Trusted(kid), provider),
				harm: "Whoever can sign with it is let in, as anybody.", object: source.object, name: source.name,
			})
		}
	}
	return out
}
