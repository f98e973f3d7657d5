// Package stats counts, for the gate's state, what was accepted and what was refused.
//
// It must not know who reads it.
package stats

import (
	"maps"
	"sync"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/admin"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

// Stats remember, for admin.State, when each provider's tokens last opened, and what was refused how often. Both are
// bounded: by the providers of the configuration and by the reasons there are. Probes are none of its business.
type Stats struct {
	mu       sync.Mutex
	accepted map[string]time.Time
	refused  map[string]int64
	refusals map[string]admin.Refusals
}

// New returns empty Stats.
func New() *Stats {
	return &Stats{accepted: map[string]time.Time{}, refused: map[string]int64{}, refusals: map[string]admin.Refusals{}}
}

// Accept may be told late, and twice.
func (t *Stats) Accept(provider string, at time.Time) {
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

// Refusal is an answer of the gate.
type Refusal struct {
	// Provider is the one that the token names, if one is known.
	Provider string
	Reason   gateapi.Reason
	Detail   string // what was compared; see deny.Denial.Detail
	// Before: it kept the request from the server.
	Before bool
	At     time.Time
}

// Refuse counts an answer of the gate.
func (t *Stats) Refuse(r Refusal) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.refused[string(r.Reason)]++
	if r.Provider == "" || !r.Before {
		return
	}
	known := t.refusals[r.Provider]
	if known.Reasons == nil {
		known.Reasons = map[string]int64{}
	}
	known.Reasons[string(r.Reason)]++
	known.Last = r.At
	if known.Since.IsZero() {
		known.Since, known.Details = r.At, map[string]string{}
	}
	if _, told := known.Details[string(r.Reason)]; !told && r.Detail != "" {
		known.Details[string(r.Reason)] = r.Detail
	}
	t.refusals[r.Provider] = known
}

// FillIn fills in what State says of it, without providers that are no longer configured.
func (t *Stats) FillIn(state *admin.State, configured func(provider string) bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	maps.DeleteFunc(t.accepted, func(provider string, _ time.Time) bool { return !configured(provider) })
	maps.DeleteFunc(t.refusals, func(provider string, _ admin.Refusals) bool { return !configured(provider) })
	state.LastAccepted, state.Refused = maps.Clone(t.accepted), maps.Clone(t.refused)
	state.Refusals = maps.Clone(t.refusals)
	for provider, known := range state.Refusals {
		known.Reasons, known.Details = maps.Clone(known.Reasons), maps.Clone(known.Details)
		state.Refusals[provider] = known
	}
}
