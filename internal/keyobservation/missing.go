package keyobservation

import (
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/requeue"
)

// Missing are, by provider, the pods whose gates have no keys of it.
type Missing map[string][]MissingOn

// MissingOn is a pod whose gate has no keys of a provider: why, and since when.
type MissingOn struct {
	Pod, Why string
	Since    time.Time
}

// MissingPatience is how long a gate may be without keys of a provider before that is told: a pod that starts fetches them
// first, and a first attempt may fail because its network is not there yet.
const MissingPatience = 30 * time.Second

// Due is the time until the next gate has been without keys for long enough; 0 is never.
func (m Missing) Due(now time.Time) time.Duration {
	var due time.Duration
	for _, pods := range m {
		for _, on := range pods {
			if left := on.Since.Add(MissingPatience).Sub(now); left > 0 {
				due = requeue.Sooner(due, left)
			}
		}
	}
	return due
}
