package authhealth

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
)

// MissingKeys is a provider of which a gate has no keys: it answers the tokens of that provider 503 no_keys, and judges those
// of all others. why is what the gate says of it; empty if it says nothing.
type MissingKeys struct{ Provider, Why string }

// WithMissingKeys takes a verdict back to Unknown where a pod whose lock was proven cannot serve a provider: of that one's tokens
// nothing was seen. Its traffic stays: tokens of all other providers were judged as they must be.
func (j Judgement) WithMissingKeys(subjects []Subject) Judgement {
	if j.Status != metav1.ConditionTrue {
		return j
	}
	pods, why, names := map[string]int{}, map[string]string{}, map[string]string{}
	for _, s := range subjects {
		if s.role() != counts || s.Standing == nil || s.Standing.Grade != Proven {
			continue
		}
		for _, p := range s.Standing.MissingKeys {
			if pods[p.Provider]++; pods[p.Provider] == 1 {
				why[p.Provider], names[p.Provider] = p.Why, s.Pod
			}
			if len(j.Failures) < maxFailures {
				j.Failures = append(j.Failures, v1alpha1.AuthFailure{
					Pod: s.Pod, Case: "key set of provider " + p.Provider, Expected: "loaded", Seen: "empty" + p.Why})
			}
		}
	}
	if len(pods) == 0 {
		return j
	}
	j.Status, j.Reason = metav1.ConditionUnknown, v1alpha1.ReasonProviderKeysMissing
	var parts []string
	for _, provider := range slices.Sorted(maps.Keys(pods)) {
		parts = append(parts, fmt.Sprintf("Provider %s: %d of %d pods have no keys for it, among them %s%s, and answer its tokens with 503 (no_keys); these could not be tried.",
			provider, pods[provider], j.Pods, names[provider], why[provider]))
	}
	j.Message = strings.Join(parts, " ") + " Tokens of all other providers are verified, and their clients are served: " + j.Message
	return j
}
