package probe

import (
	"fmt"
	"time"
)

// Replay carries tokens from one round to the next: each was let in once and is to be refused when its life has passed.
// It cannot be read, printed or encoded; keep it in memory alone.
type Replay struct{ tokens []spentToken }

type spentToken struct {
	provider, bearer string
	// ends is when the gate must refuse it, its leeway included.
	ends time.Time
}

// Format implements fmt.Formatter: nothing of a token is printed.
func (r Replay) Format(state fmt.State, _ rune) {
	_, _ = fmt.Fprintf(state, "%d tokens", len(r.tokens))
}

// MarshalJSON implements json.Marshaler likewise.
func (Replay) MarshalJSON() ([]byte, error) { return []byte("null"), nil }
