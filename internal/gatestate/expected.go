package gatestate

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/authhealth"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/admin"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
	"github.com/mcp-gatehouse/gatehouse/internal/keys/rotation"
	"github.com/mcp-gatehouse/gatehouse/internal/keys/turnover"
	"github.com/mcp-gatehouse/gatehouse/internal/mask"
	"github.com/mcp-gatehouse/gatehouse/internal/publication"
)

// Expected are the keys and secrets that the operator knows a gate to have, or to be about to have.
type Expected struct {
	// Kids are the ids of the keys that the gate must have loaded, by provider. An empty list stands for any.
	Kids map[string][]string
	// Managed are the keys of the Managed provider, those that are withdrawn among them, and Brought those of each provider
	// whose keys users bring.
	Managed rotation.Set
	Brought map[string][]keys.Public
	// Secrets are the generations of the gate's secret.
	Secrets turnover.Set
	// ProbeKey is the id of the probe key that the gate must accept; empty: none.
	ProbeKey string
}

// Loading is how long a pod may take to load a key that is published and signs nothing yet. Until then a pod without it lacks
// nothing that a client could miss.
const Loading = publication.Propagation

// DueKeys are the ids of the keys that a pod must have loaded by now.
func DueKeys(set rotation.Set, now time.Time) []string {
	var ids []string
	for _, key := range set.Keys {
		late := key.Phase != rotation.Published || now.Sub(key.Since) >= Loading
		if late && !key.Phase.Withdrawn() {
			ids = append(ids, key.ID)
		}
	}
	return ids
}

// IsServed reports whether a gate can judge the tokens of a provider.
func IsServed(state admin.State, provider string) bool {
	return len(state.Keys[provider]) > 0 && !isStale(state.Remote[provider], state.Time)
}

// isStale tells that keys were fetched longer ago than they may be used. A gate drops such keys itself.
func isStale(remote admin.RemoteKeys, now time.Time) bool {
	return remote.MaxStaleSeconds > 0 && now.Sub(remote.LastGood) > time.Duration(remote.MaxStaleSeconds)*time.Second
}

// fetched says why keys that a gate fetches are not there; empty if nobody knows.
func fetched(remote admin.RemoteKeys) string {
	if remote.LastError == "" {
		return ""
	}
	return " (the gate could not fetch it: " + mask.Trusted(remote.LastError) + ")"
}

// unservedBy lists the providers of which a gate has no keys although it has tried to get them. One whose first fetch is
// under way is not among them: its keys are about to come.
func unservedBy(state admin.State, must Expected) []authhealth.MissingKeys {
	var out []authhealth.MissingKeys
	for _, provider := range slices.Sorted(maps.Keys(must.Kids)) {
		remote, fetches := state.Remote[provider]
		if IsServed(state, provider) || fetches && remote.LastGood.IsZero() && remote.LastError == "" {
			continue
		}
		out = append(out, authhealth.MissingKeys{Provider: provider, Why: fetched(remote)})
	}
	return out
}

// Tolerated lists the providers that a gate may do without: those of others can enter meanwhile, and must not be kept out
// by an identity provider that is away. Where it can serve no provider at all, it may do without none.
func Tolerated(state admin.State, must Expected) []authhealth.MissingKeys {
	serves := func(provider string) bool { return IsServed(state, provider) }
	if !slices.ContainsFunc(slices.Collect(maps.Keys(must.Kids)), serves) {
		return nil
	}
	return unservedBy(state, must)
}

// mustServe lists the providers that a gate may not do without.
func mustServe(state admin.State, must Expected) []string {
	without := Tolerated(state, must)
	return slices.DeleteFunc(slices.Sorted(maps.Keys(must.Kids)), func(provider string) bool {
		return slices.ContainsFunc(without, func(p authhealth.MissingKeys) bool { return p.Provider == provider })
	})
}

// UnservedReasons gives, for the key observations, the providers that a gate cannot serve, and why.
func UnservedReasons(state admin.State, must Expected) map[string]string {
	out := map[string]string{}
	for _, p := range unservedBy(state, must) {
		out[p.Provider] = strings.TrimSpace(p.Why)
	}
	return out
}
