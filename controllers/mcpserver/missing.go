package mcpserver

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
)

// missingKeys are, by provider, the pods whose gates have no keys of it.
type missingKeys map[string][]missingOn

type missingOn struct {
	pod, why string
	since    time.Time
}

// missingPatience is how long a gate may be without keys of a provider before that is told: a pod that starts fetches them
// first, and a first attempt may fail because its network is not there yet.
const missingPatience = 30 * time.Second

// due is the time until the next gate has been without keys for long enough; 0 is never.
func (m missingKeys) due(now time.Time) time.Duration {
	var due time.Duration
	for _, pods := range m {
		for _, on := range pods {
			if left := on.since.Add(missingPatience).Sub(now); left > 0 {
				due = Sooner(due, left)
			}
		}
	}
	return due
}

// judgeMissing says which providers of the spec gates cannot serve; an empty reason means that they serve all.
func judgeMissing(server *v1alpha1.MCPServer, missing missingKeys, pods int, now time.Time) verdict {
	message, served := "", 0
	for _, provider := range desired.Resolve(server).Providers {
		late := slices.DeleteFunc(slices.Clone(missing[provider.Name]), func(on missingOn) bool { return now.Sub(on.since) < missingPatience })
		if len(late) == 0 {
			served++
			continue
		}
		first := slices.MinFunc(late, func(a, b missingOn) int { return cmp.Compare(a.pod, b.pod) })
		message += fmt.Sprintf("Provider %s: %d of %d pods have no keys for it and answer its tokens with 503 (no_keys), among them %s%s. ",
			provider.Name, len(late), pods, first.pod, spaced(first.why))
	}
	switch {
	case message == "":
		return verdict{}
	case served > 0:
		message += "Tokens of all other providers are still verified."
	default:
		message += "Pods without keys take no traffic."
	}
	return verdict{metav1.ConditionFalse, v1alpha1.ReasonProviderKeysMissing, message}
}

func spaced(text string) string {
	if text == "" {
		return ""
	}
	return " " + text
}
