package gate

import (
	"maps"
	"sync"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/admin"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/deny"
)

// tally remembers, for State, when each provider's tokens last opened, and what was refused how often. Both are
// bounded: by the providers of the configuration and by the reasons there are. Probes are none of its business.
type tally struct {
	mu       sync.Mutex
	accepted map[string]time.Time
	refused  map[string]int64
	refusals map[string]admin.Refusals
}

func newTally() *tally {
	return &tally{accepted: map[string]time.Time{}, refused: map[string]int64{}, refusals: map[string]admin.Refusals{}}
}

// accept may be told late, and twice.
func (t *tally) accept(provider string, at time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if at.After(t.accepted[provider]) {
		t.accepted[provider] = at
	}
	known, refused := t.refusals[provider]
	if !refused || known.Since.IsZero() || known.Since.After(at) {
		return
	}
	known.Since = time.Time{}
	if known.Last.After(at) {
		known.Since = known.Last // What came between is not known.
	}
	t.refusals[provider] = known
}

// refuse counts an answer of the gate; before tells that it kept the request from the server. The provider is the one
// that the token names, if one is known.
func (t *tally) refuse(provider string, reason deny.Reason, before bool, at time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.refused[string(reason)]++
	if provider == "" || !before {
		return
	}
	known := t.refusals[provider]
	if known.Reasons == nil {
		known.Reasons = map[string]int64{}
	}
	known.Reasons[string(reason)]++
	known.Last = at
	if known.Since.IsZero() {
		known.Since = at
	}
	t.refusals[provider] = known
}

// tell fills in what State says of it, without providers that are no longer configured.
func (t *tally) tell(state *admin.State, configured func(provider string) bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	maps.DeleteFunc(t.accepted, func(provider string, _ time.Time) bool { return !configured(provider) })
	maps.DeleteFunc(t.refusals, func(provider string, _ admin.Refusals) bool { return !configured(provider) })
	state.LastAccepted, state.Refused = maps.Clone(t.accepted), maps.Clone(t.refused)
	state.Refusals = maps.Clone(t.refusals)
	for provider, known := range state.Refusals {
		known.Reasons = maps.Clone(known.Reasons)
		state.Refusals[provider] = known
	}
}
