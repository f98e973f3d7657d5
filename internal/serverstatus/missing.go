package serverstatus

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/conditions"
	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/keyobservation"
)

// judgeMissing says which providers of the spec gates cannot serve; an empty reason means that they serve all.
func judgeMissing(server *v1alpha1.MCPServer, missing keyobservation.Missing, pods int, now time.Time) conditions.Verdict {
	message, served := "", 0
	for _, provider := range desired.Resolve(server).Providers {
		late := slices.DeleteFunc(slices.Clone(missing[provider.Name]), func(on keyobservation.MissingOn) bool { return now.Sub(on.Since) < keyobservation.MissingPatience })
		if len(late) == 0 {
			served++
			continue
		}
		first := slices.MinFunc(late, func(a, b keyobservation.MissingOn) int { return cmp.Compare(a.Pod, b.Pod) })
		message += fmt.Sprintf("Provider %s: %d of %d pods have no keys for it and answer its tokens with 503 (no_keys), among them %s%s. ",
			provider.Name, len(late), pods, first.Pod, spaced(first.Why))
	}
	switch {
	case message == "":
		return conditions.Verdict{}
	case served > 0:
		message += "Tokens of all other providers are still verified."
	default:
		message += "Pods without keys take no traffic."
	}
	return conditions.False(v1alpha1.ReasonProviderKeysMissing, message)
}

func spaced(text string) string {
	if text == "" {
		return ""
	}
	return " " + text
}
