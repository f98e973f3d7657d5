package authprobe

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/admin"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/deny"
)

// patience is for how long clients must have been refused, without one that was let in, before it is told.
const patience = 10 * time.Minute

// misfits are the reasons for which all tokens of a provider are refused when what the spec says of it is wrong. That a
// client's token has expired says nothing about others.
var misfits = []deny.Reason{
	deny.UnsupportedAlgorithm, deny.UnknownKey, deny.BadSignature, deny.WrongAudience, deny.WrongIssuer, deny.WrongType,
	deny.MissingClaim, deny.InsufficientScope,
}

// clients are how those of each provider fared at one gate, by its own clock.
type clients struct {
	at       time.Time
	accepted map[string]time.Time
	refused  map[string]streak
}

// streak is an unbroken row of refusals. before are the counts of its reasons when it was first seen: what they have grown
// since belongs to it.
type streak struct {
	since, last   time.Time
	before, count map[string]int64
}

// hear is what is known of clients after their gate has spoken.
func (c clients) hear(state admin.State) clients {
	out := clients{at: state.Time, accepted: state.LastAccepted, refused: map[string]streak{}}
	for provider, said := range state.Refusals {
		if said.Since.IsZero() {
			continue
		}
		row := streak{since: said.Since, last: said.Last, before: said.Reasons, count: said.Reasons}
		if known, found := c.refused[provider]; found && known.since.Equal(said.Since) {
			row.before = known.before
		}
		out.refused[provider] = row
	}
	return out
}

// misfits are the reasons of the row that speak of the provider, sorted.
func (s streak) misfits() []string {
	var out []string
	for _, reason := range misfits {
		if s.count[string(reason)] > s.before[string(reason)] {
			out = append(out, string(reason))
		}
	}
	slices.Sort(out)
	return out
}

// allRefused returns the providers whose clients are all refused, at every gate that they tried, while the prober's own
// token is let in. Anybody can make a token that names a provider, so it is no evidence.
func allRefused(entries map[types.UID]entry) map[string]streak {
	rows, accepted := map[string]streak{}, map[string]time.Time{}
	for _, e := range entries {
		for provider, at := range e.clients.accepted {
			if at.After(accepted[provider]) {
				accepted[provider] = at
			}
		}
		for provider, row := range e.clients.refused {
			known, found := rows[provider]
			longEnough := e.clients.at.Sub(row.since) >= patience && e.clients.at.Sub(row.last) < patience
			if longEnough && len(row.misfits()) > 0 && (!found || row.since.Before(known.since)) {
				rows[provider] = row
			}
		}
	}
	maps.DeleteFunc(rows, func(provider string, row streak) bool { return accepted[provider].After(row.since) })
	return rows
}

// rejecting says to a person which provider's clients are all refused; empty if none's are.
func rejecting(refused map[string]streak) string {
	var notes []string
	for _, provider := range slices.Sorted(maps.Keys(refused)) {
		row := refused[provider]
		notes = append(notes, fmt.Sprintf("Every client with a token of provider %s was refused since %s (%s), and none let in: "+
			"if they are yours, compare their tokens with what the spec says of that provider.",
			provider, row.since.UTC().Format(time.RFC3339), strings.Join(row.misfits(), ", ")))
	}
	return strings.Join(notes, " ")
}
