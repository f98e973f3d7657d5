package gate

import (
	"maps"
	"sync"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/deny"
)

// tally remembers, for State, when each provider's tokens last opened, and what was refused how often. Both are
// bounded: by the providers of the configuration and by the reasons there are.
type tally struct {
	mu       sync.Mutex
	accepted map[string]time.Time
	refused  map[string]int64
}

func newTally() *tally { return &tally{accepted: map[string]time.Time{}, refused: map[string]int64{}} }

func (t *tally) accept(provider string, at time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.accepted[provider] = at
}

func (t *tally) refuse(reason deny.Reason) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.refused[string(reason)]++
}

// read gives copies, without providers that are no longer configured.
func (t *tally) read(configured func(provider string) bool) (accepted map[string]time.Time, refused map[string]int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	maps.DeleteFunc(t.accepted, func(provider string, _ time.Time) bool { return !configured(provider) })
	return maps.Clone(t.accepted), maps.Clone(t.refused)
}
