package serverstatus

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	mcpac "github.com/mcp-gatehouse/gatehouse/api/v1alpha1/applyconfiguration/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/keys/rotation"
	"github.com/mcp-gatehouse/gatehouse/internal/keyturn"
)

// maxKeyStatuses is what the schema allows.
const maxKeyStatuses = 64

// keyStatuses tells of the keys of every provider that the operator sees, and nothing of a step that was not stored.
func keyStatuses(server *v1alpha1.MCPServer, seen Seen, stored bool) []*mcpac.KeyStatusApplyConfiguration {
	var out []*mcpac.KeyStatusApplyConfiguration
	for _, provider := range desired.Resolve(server).Providers {
		listed := map[string]bool{}
		for _, key := range seen.Public[provider.Name] {
			if listed[key.ID] { // The list tells keys apart by their names.
				continue
			}
			listed[key.ID] = true
			out = append(out, mcpac.KeyStatus().WithProvider(provider.Name).WithKID(key.ID).WithAlgorithm(string(key.Algorithm)).
				WithObservedPods(loadedBy(server, seen, provider.Name, key.ID)))
		}
	}
	for _, t := range seen.Turns {
		out = append(out, ownStatuses(t, stored)...)
	}
	if !stored {
		out = append(out, retained(server, out)...)
	}
	return out
}

// retained are the keys of which status tells and which were not read this time, because something is wrong: pods keep them, and
// what becomes of them is told once they are read.
func retained(server *v1alpha1.MCPServer, read []*mcpac.KeyStatusApplyConfiguration) []*mcpac.KeyStatusApplyConfiguration {
	var out []*mcpac.KeyStatusApplyConfiguration
	for _, key := range server.Status.Keys {
		if slices.ContainsFunc(read, func(r *mcpac.KeyStatusApplyConfiguration) bool {
			return *r.Provider == key.Provider && *r.KID == key.KID
		}) {
			continue
		}
		kept := mcpac.KeyStatus().WithProvider(key.Provider).WithKID(key.KID)
		kept.Algorithm, kept.ObservedPods = &key.Algorithm, key.ObservedPods
		if !key.Since.IsZero() {
			kept.WithSince(key.Since)
		}
		if !key.RefusedTime.IsZero() {
			kept.WithRefusedTime(key.RefusedTime)
		}
		if key.Phase != "" {
			kept.WithPhase(key.Phase)
		}
		out = append(out, kept)
	}
	return out
}

// loadedBy is how many pods have a key loaded. While some have yet to tell, such as all after a start of the operator,
// what status says stands.
func loadedBy(server *v1alpha1.MCPServer, seen Seen, provider, kid string) int32 {
	now := seen.Loaded[provider][kid]
	for _, key := range server.Status.Keys {
		if key.Provider == provider && key.KID == kid && key.ObservedPods != nil && !seen.AllTold {
			return max(now, min(*key.ObservedPods, int32(len(seen.Pods)))) //nolint:gosec // a count of pods
		}
	}
	return now
}

// ownStatuses are what status tells of keys that the operator makes.
func ownStatuses(t keyturn.Turn, stored bool) []*mcpac.KeyStatusApplyConfiguration {
	var out []*mcpac.KeyStatusApplyConfiguration
	for _, key := range t.Told(stored).Keys {
		status := mcpac.KeyStatus().
			WithProvider(t.Provider).
			WithKID(key.ID).
			WithAlgorithm(string(key.Algorithm)).
			WithPhase(v1alpha1.KeyPhase(key.Phase)).
			WithSince(metav1.NewTime(key.Since))
		switch {
		case !key.Refused.IsZero():
			status.WithRefusedTime(metav1.NewTime(key.Refused))
		case key.Phase == rotation.Published || key.Phase.Withdrawn():
			status.WithObservedPods(int32(key.Seen(t.In))) //nolint:gosec // a count of pods
		}
		out = append(out, status)
	}
	return out
}
