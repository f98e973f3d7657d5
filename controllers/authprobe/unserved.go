package authprobe

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/admin"
)

// unserved is a provider of which a gate has no keys: it answers the tokens of that provider 503 no_keys, and judges those
// of all others. why is what the gate says of it; empty if it says nothing.
type unserved struct{ provider, why string }

// unservedBy lists the providers of which a gate has no keys although it has tried to get them. One whose first fetch is
// under way is not among them: its keys are about to come.
func unservedBy(state admin.State, use credentials) []unserved {
	var out []unserved
	for _, provider := range slices.Sorted(maps.Keys(use.kids)) {
		remote, fetches := state.Remote[provider]
		if isServed(state, provider) || fetches && remote.LastGood.IsZero() && remote.LastError == "" {
			continue
		}
		out = append(out, unserved{provider, fetched(remote)})
	}
	return out
}

// isServed reports whether a gate can judge the tokens of a provider.
func isServed(state admin.State, provider string) bool {
	return len(state.Keys[provider]) > 0 && !isStale(state.Remote[provider], state.Time)
}

// tolerated lists the providers that a gate may do without: those of others can enter meanwhile, and must not be kept out
// by an identity provider that is away. Where it can serve no provider at all, it may do without none.
func tolerated(state admin.State, use credentials) []unserved {
	serves := func(provider string) bool { return isServed(state, provider) }
	if !slices.ContainsFunc(slices.Collect(maps.Keys(use.kids)), serves) {
		return nil
	}
	return unservedBy(state, use)
}

// mustServe lists the providers that a gate may not do without.
func mustServe(state admin.State, use credentials) []string {
	without := tolerated(state, use)
	return slices.DeleteFunc(slices.Sorted(maps.Keys(use.kids)), func(provider string) bool {
		return slices.ContainsFunc(without, func(p unserved) bool { return p.provider == provider })
	})
}

// unservedNow gives, for Sightings, the providers that a gate cannot serve, and why.
func unservedNow(state admin.State, use credentials) map[string]string {
	out := map[string]string{}
	for _, p := range unservedBy(state, use) {
		out[p.provider] = strings.TrimSpace(p.why)
	}
	return out
}

// serving takes a verdict back to Unknown where a pod whose lock was proven cannot serve a provider: of that one's tokens
// nothing was seen. Its traffic stays: tokens of all other providers were judged as they must be.
func (j judgement) serving(subjects []subject) judgement {
	if j.status != metav1.ConditionTrue {
		return j
	}
	pods, why, names := map[string]int{}, map[string]string{}, map[string]string{}
	for _, s := range subjects {
		if s.role() != counts || s.standing == nil || s.standing.grade != proven {
			continue
		}
		for _, p := range s.standing.unserved {
			if pods[p.provider]++; pods[p.provider] == 1 {
				why[p.provider], names[p.provider] = p.why, s.pod
			}
			if len(j.failures) < maxFailures {
				j.failures = append(j.failures, v1alpha1.AuthFailure{
					Pod: s.pod, Case: "key set of provider " + p.provider, Expected: "loaded", Seen: "empty" + p.why})
			}
		}
	}
	if len(pods) == 0 {
		return j
	}
	j.status, j.reason = metav1.ConditionUnknown, v1alpha1.ReasonProviderKeysMissing
	var parts []string
	for _, provider := range slices.Sorted(maps.Keys(pods)) {
		parts = append(parts, fmt.Sprintf("Provider %s: %d of %d pods have no keys for it, among them %s%s, and answer its tokens with 503 (no_keys); these could not be tried.",
			provider, pods[provider], j.pods, names[provider], why[provider]))
	}
	j.message = strings.Join(parts, " ") + " Tokens of all other providers are verified, and their clients are served: " + j.message
	return j
}
