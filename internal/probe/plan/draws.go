package plan

import (
	"hash/fnv"
	"math/rand/v2"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/token"
)

// NoJWT is a bearer that is no JWT, by half of the seeds one that nobody knows.
func NoJWT(seed uint64) string {
	if seed%2 == 0 {
		return token.Malformed
	}
	return probe.AbsentName(^seed)
}

// DrawFor draws for one test case: the same by the same seed, whatever else the check asks.
func (p *Planner) DrawFor(name probe.Case, about ...string) *rand.Rand {
	sum := fnv.New64a()
	for _, text := range append(about, string(name)) {
		_, _ = sum.Write([]byte(text + "\x00"))
	}
	return rand.New(rand.NewPCG(p.Seed, sum.Sum64())) //nolint:gosec // to be repeated, not to be unguessable
}
