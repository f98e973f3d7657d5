package authhealth

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
)

// TestPodFails_OthersAreAskedTheSameAtOnce: once for each test case, and by those only that have not failed it themselves.
func TestPodFails_OthersAreAskedTheSameAtOnce(t *testing.T) {
	later := noon.Add(time.Minute)
	failed := func(confirmed bool) PodFindings {
		result := probe.Result{Case: probe.Varied, Variation: "HTTP/1.0, no token"}
		return PodFindings{Due: later, Failures: probe.FailuresFor(probe.Failure{Result: result, Confirmed: confirmed})}
	}
	sound := PodFindings{Due: later}
	for name, c := range map[string]struct {
		before, now Findings
		asks        int
		at          time.Time
	}{
		"another one fails":           {Findings{"a": sound, "b": sound}, Findings{"a": sound, "b": failed(true)}, 1, noon},
		"perhaps":                     {Findings{"a": sound, "b": sound}, Findings{"a": sound, "b": failed(false)}, 0, later},
		"as before":                   {Findings{"a": sound, "b": failed(true)}, Findings{"a": sound, "b": failed(true)}, 1, later},
		"and so does this one itself": {Findings{"a": sound, "b": sound}, Findings{"a": failed(true), "b": failed(true)}, 1, later},
		"nobody else":                 {Findings{"a": sound}, Findings{"a": failed(true)}, 0, later},
	} {
		got := c.now.Hasten(c.before, noon)
		if asks := got.FailedBeside(types.UID("a")); asks.Len() != c.asks || !got["a"].Due.Equal(c.at) {
			t.Errorf("%s: asks %d, at %v", name, asks.Len(), got["a"].Due)
		}
	}
}
