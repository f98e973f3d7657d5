package probe

import (
	"fmt"
	"math/rand/v2"
)

// absentStream keeps what is drawn here apart from a check's other choices.
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

// NoValue is what a claim has where it must not be what a rule wants.
const NoValue = "nobody"
