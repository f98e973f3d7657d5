package probe

import (
	"fmt"
	"time"
)

// Replay carries tokens from one check to the next: each was let in once and is to be refused when its life has passed.
// It cannot be read, printed or encoded; keep it in memory alone.
type Replay struct{ Tokens []SpentToken }

// SpentToken is one of them.
type SpentToken struct {
	Provider, Bearer string
	// Ends is when the gate must refuse it, its leeway included.
	Ends time.Time
}

// Of is the token of a provider, nil if there is none.
func (r Replay) Of(provider string) *SpentToken {
	for i := range r.Tokens {
		if r.Tokens[i].Provider == provider {
			return &r.Tokens[i]
		}
	}
	return nil
}

// Ripe is when the last of the tokens must be refused; the zero time without any.
func (r Replay) Ripe() time.Time {
	var last time.Time
	for _, spent := range r.Tokens {
		if spent.Ends.After(last) {
			last = spent.Ends
		}
	}
	return last
}

// Format implements fmt.Formatter: nothing of a token is printed.
func (r Replay) Format(state fmt.State, _ rune) {
	_, _ = fmt.Fprintf(state, "%d tokens", len(r.Tokens))
}

// MarshalJSON implements json.Marshaler likewise.
func (Replay) MarshalJSON() ([]byte, error) { return []byte("null"), nil }
