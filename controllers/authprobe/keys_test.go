package authprobe

import (
	"slices"
	"testing"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/keys/rotation"
)

// A kubelet takes its time to bring a new key to a pod. All others must be there.
func TestDueKeys(t *testing.T) {
	for name, c := range map[string]struct {
		phase rotation.Phase
		since time.Duration
		due   bool
	}{
		"just published":              {rotation.Published, 0, false},
		"published, and on its way":   {rotation.Published, loading - 1, false},
		"published for long enough":   {rotation.Published, loading, true},
		"the one that signs":          {rotation.Signing, 0, true},
		"on its way out":              {rotation.Retiring, 0, true},
		"withdrawn, however long ago": {rotation.Retired, time.Hour, false},
		"revoked, however long ago":   {rotation.Revoked, time.Hour, false},
	} {
		set := rotation.Set{Keys: []rotation.Key{{ID: "k", Phase: c.phase, Since: noon.Add(-c.since)}}}
		if got := due(set, noon); slices.Contains(got, "k") != c.due {
			t.Errorf("%s: %v", name, got)
		}
	}
}
