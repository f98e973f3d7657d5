package forms

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/token"
)

// draws are those of one row: what is drawn, and the turn of what is not.
type draws struct {
	*rand.Rand
	turn uint64
}

// clientLifetime is what clients' tokens usually live.
const clientLifetime = time.Hour

// noToken68 is a bearer that is no JWT: as people try one, as other services give them, and the beginning of one.
func noToken68(draw *draws) string {
	return []string{
		token.Malformed, probe.AbsentName(draw.Uint64()), fmt.Sprintf("sk_live_%016x%016x", draw.Uint64(), draw.Uint64()),
		fmt.Sprintf("ghp_%016x%016x", draw.Uint64(), draw.Uint64()), "eyJhbGciOiJSUzI1NiIsInR5cCI6ImF0K2p3dCJ9.e30",
	}[draw.IntN(5)]
}
