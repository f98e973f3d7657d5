package authhealth

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/desired"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/admin"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

// patience is for how long clients must have been refused, without one that was let in, before it is told.
const patience = 10 * time.Minute

// misfits are the reasons for which all tokens of a provider are refused when what the spec says of it is wrong. That a
// client's token has expired says nothing about others.
var misfits = []gateapi.Reason{
	gateapi.ReasonUnsupportedAlgorithm, gateapi.ReasonUnknownKey, gateapi.ReasonBadSignature, gateapi.ReasonWrongAudience, gateapi.ReasonWrongIssuer, gateapi.ReasonWrongType,
	gateapi.ReasonMissingClaim, gateapi.ReasonInsufficientScope,
}

// clients are how those of each provider fared at one gate, by its own clock.
type clients struct {
	at       time.Time
	accepted map[string]time.Time
	refused  map[string]Streak
}

// hear is what is known of clients after their gate has spoken.
func (c clients) hear(state admin.State) clients {
	out := clients{at: state.Time, accepted: state.LastAccepted, refused: map[string]Streak{}}
	for provider, said := range state.Refusals {
		if said.Since.IsZero() {
			continue
		}
		row := Streak{Since: said.Since, last: said.Last, before: said.Reasons, Count: said.Reasons, Details: said.Details}
		if known, found := c.refused[provider]; found && known.Since.Equal(said.Since) {
			row.before = known.before
		}
		out.refused[provider] = row
	}
	return out
}

// Streak is an unbroken row of refusals. before are the values of Count when it was first seen: what they have grown
// since belongs to it. Details are those of admin.Refusals.
type Streak struct {
	Since, last   time.Time
	before, Count map[string]int64
	Details       map[string]string
}

// described are these reasons, each with what the gate compared.
func (s Streak) described(reasons []string) string {
	out := make([]string, 0, len(reasons))
	for _, reason := range reasons {
		if detail := s.Details[reason]; detail != "" {
			reason += fmt.Sprintf(" [%s]", detail)
		}
		out = append(out, reason)
	}
	return strings.Join(out, ", ")
}

// misfits are the reasons of the row that speak of the provider, sorted.
func (s Streak) misfits() []string {
	var out []string
	for _, reason := range misfits {
		if s.Count[string(reason)] > s.before[string(reason)] {
			out = append(out, string(reason))
		}
	}
	slices.Sort(out)
	return out
}

// AllRefused returns the providers whose clients are all refused, at every gate that they tried, while the prober's own
// token is let in. Anybody can make a token that names a provider, so it is no evidence.
func AllRefused(findings Findings) map[string]Streak {
	rows, accepted := map[string]Streak{}, map[string]time.Time{}
	for _, e := range findings {
		for provider, at := range e.clients.accepted {
			if at.After(accepted[provider]) {
				accepted[provider] = at
			}
		}
		for provider, row := range e.clients.refused {
			known, found := rows[provider]
			longEnough := e.clients.at.Sub(row.Since) >= patience && e.clients.at.Sub(row.last) < patience
			if longEnough && len(row.misfits()) > 0 && (!found || row.Since.Before(known.Since)) {
				rows[provider] = row
			}
		}
	}
	maps.DeleteFunc(rows, func(provider string, row Streak) bool { return accepted[provider].After(row.Since) })
	return rows
}

// RejectingNote says to a person which provider's clients are all refused, and which shared secret that may be due to; empty
// if none's are.
func RejectingNote(refused map[string]Streak, providers []desired.Provider) string {
	var notes []string
	for _, provider := range slices.Sorted(maps.Keys(refused)) {
		row := refused[provider]
		reasons := row.misfits()
		note := fmt.Sprintf("Every client with a token of provider %s was refused since %s (%s), and none let in: "+
			"if they are yours, compare their tokens with what the spec says of that provider.",
			provider, row.Since.UTC().Format(time.RFC3339), row.described(reasons))
		at := slices.IndexFunc(providers, func(p desired.Provider) bool { return p.Name == provider && p.Shared() })
		if at >= 0 && slices.Contains(reasons, string(gateapi.ReasonBadSignature)) {
			note += sharedAdvice(providers[at], string(gateapi.ReasonBadSignature))
		}
		notes = append(notes, note)
	}
	return strings.Join(notes, " ")
}
