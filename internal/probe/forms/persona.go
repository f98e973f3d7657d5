package forms

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
)

// persona is a caller as the tokens of clients name one. Nobody is meant: each has a part that is drawn.
type persona struct{ subject, client, email, name string }

// clientNames are those by which clients of MCP servers are registered or call themselves.
var clientNames = []string{
	"claude-ai", "cursor-vscode", "vscode", "chatgpt", "mcp-inspector", "gemini-cli", "windsurf", "goose", "mcp-remote", "librechat",
	dynamicClient,
}

// dynamicClient stands for a name that is drawn, as of clients that register themselves (RFC 7591).
const dynamicClient = ""

var givenNames = []string{"alice", "bjorn", "chen", "dana", "emeka", "farah", "goran", "hana", "ivan", "june"}

// newPersona draws one. The forms are those of the subjects that identity providers and clusters give; they and the names of
// clients take turns.
func newPersona(turn uint64, draw *rand.Rand) persona {
	given, number := givenNames[draw.IntN(len(givenNames))], draw.Uint32()
	email := fmt.Sprintf("%s.%06x@example.com", given, number%(1<<24))
	client := clientNames[turn%uint64(len(clientNames))]
	if client == dynamicClient {
		client = uuid(draw)
	}
	subjects := []string{
		uuid(draw), fmt.Sprintf("auth0|%024x", draw.Uint64()), fmt.Sprintf("google-oauth2|1%020d", draw.Uint64()), email,
		fmt.Sprint(number), fmt.Sprintf("system:serviceaccount:agents:%s-%05x", given, number%(1<<20)),
		fmt.Sprintf("service-account-%s-%05x", client, number%(1<<20)),
	}
	return persona{subject: subjects[turn%uint64(len(subjects))], client: client, email: email, name: given}
}

func uuid(draw *rand.Rand) string {
	a, b := draw.Uint64(), draw.Uint64()
	return fmt.Sprintf("%08x-%04x-4%03x-%04x-%012x", a>>32, a>>16&0xffff, a&0xfff, 0x8000|b>>48&0x3fff, b&0xffffffffffff)
}

// claims are those of the persona's token, of an issuer that knows callers by these claims.
func (p persona) claims(identity []string) map[string]any {
	out := map[string]any{
		"sub": p.subject, "client_id": p.client, "azp": p.client, "email": p.email, "name": p.name, "preferred_username": p.name,
		probe.PodClaim: nil,
	}
	for _, claim := range identity {
		if _, known := out[claim]; !known {
			out[claim] = p.subject
		}
	}
	return out
}

// Clients lists the names of clients that tokens of the catalogue take in turn; an empty one is drawn.
func Clients() []string { return slices.Clone(clientNames) }
