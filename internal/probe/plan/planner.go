package plan

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/keys"
	"github.com/mcp-gatehouse/gatehouse/internal/probe"
)

// Planner chooses what a check asks: of the target, by its seed and in its turn.
type Planner struct {
	Target  probe.Target
	Started time.Time
	// Draw makes every choice of the check that is not drawn for one test case; its seed is in the report.
	Draw    *rand.Rand
	Seed    uint64
	Issuers []*Issuer
	Turn    probe.Turn
	// Everything: nothing is asked in turn, as where a test case is looked for.
	Everything bool
	// UnknownKey is a key of the algorithm that no gate has ever seen.
	UnknownKey func(keys.Algorithm) (keys.Private, error)
}

// Life is the shortest of the issuers' tokens.
func (p *Planner) Life() time.Duration {
	shortest := time.Duration(math.MaxInt64)
	for _, from := range p.Issuers {
		if from.Signs() {
			shortest = min(shortest, from.Tokens.Lifetime)
		}
	}
	return shortest
}

// ControlAt is the check's positive control for tokens of the check's beginning, and a new one later.
func (p *Planner) ControlAt(from *Issuer, now time.Time) (string, error) {
	if now.Equal(p.Started) {
		return from.Control, nil
	}
	return from.Mint(now)
}
