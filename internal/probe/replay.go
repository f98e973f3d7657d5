package probe

import (
	"fmt"
	"time"
)

const (
	// spentLife is how long a token lives that is kept for a later round.
	spentLife = 20 * time.Second
	// spentMargin is added to the gate's leeway: clocks differ, and have whole seconds.
	spentMargin = 3 * time.Second
)

// Replay carries tokens from one round to the next: each was let in once and is to be refused when its life has passed.
// It cannot be read, printed or encoded; keep it in memory alone.
type Replay struct{ tokens []spentToken }

type spentToken struct {
	provider, bearer string
	// ends is when the gate must refuse it, its leeway included.
	ends time.Time
}

// of is the token of a provider, nil if there is none.
func (r Replay) of(provider string) *spentToken {
	for i := range r.tokens {
		if r.tokens[i].provider == provider {
			return &r.tokens[i]
		}
	}
	return nil
}

// Ripe is when the last of the tokens must be refused; the zero time without any.
func (r Replay) Ripe() time.Time {
	var last time.Time
	for _, spent := range r.tokens {
		if spent.ends.After(last) {
			last = spent.ends
		}
	}
	return last
}

// Format implements fmt.Formatter: nothing of a token is printed.
func (r Replay) Format(state fmt.State, _ rune) {
	_, _ = fmt.Fprintf(state, "%d tokens", len(r.tokens))
}

// MarshalJSON implements json.Marshaler likewise.
func (Replay) MarshalJSON() ([]byte, error) { return []byte("null"), nil }

// keep is what the next round gets: what is not ripe yet, and else the token that was let in now.
func (r *round) keep(from *issuer, bearer string, ends time.Time) {
	if old := r.target.Replay.of(from.Name); old != nil && r.started.Before(old.ends) {
		r.replay.tokens = append(r.replay.tokens, *old)
		return
	}
	if bearer != "" {
		r.replay.tokens = append(r.replay.tokens, spentToken{provider: from.Name, bearer: bearer, ends: ends})
	}
}
