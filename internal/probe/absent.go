package probe

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/mcp-gatehouse/gatehouse/internal/token"
)

// absentStream keeps what is drawn here apart from a round's other choices.
const absentStream = 1

var (
	verbs = []string{"archive", "export", "fetch", "import", "lookup", "merge", "publish", "refresh", "render", "resolve", "sync", "validate"}
	nouns = []string{"account", "calendar", "catalog", "dataset", "invoice", "message", "notebook", "package", "project", "report", "ticket", "workspace"}
)

// AbsentName is what a tool, a prompt or a resource may be called, and none is: should a gate that is broken let a call of
// it pass, nothing happens. The same seed gives the same name.
func AbsentName(seed uint64) string {
	draw := rand.New(rand.NewPCG(seed, absentStream)) //nolint:gosec // to be repeated, not to be unguessable
	return fmt.Sprintf("%s_%s_%08x", verbs[draw.IntN(len(verbs))], nouns[draw.IntN(len(nouns))], draw.Uint32())
}

// label is what reports call a call: without the name that is another one in each round, so that a finding reads the same
// as long as it is the same.
func (p Policy) label(method, name string) string {
	return strings.TrimSpace(strings.ReplaceAll(method+" "+name, p.Absent, "(no such name)"))
}

// noJWT is a bearer that is no JWT, in half of the rounds one that nobody knows.
func (r *round) noJWT() string {
	if r.seed%2 == 0 {
		return token.Malformed
	}
	return AbsentName(^r.seed)
}
