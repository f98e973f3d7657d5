package probe

import (
	"fmt"
	"math/rand/v2"
)

// persona is a caller as the tokens of clients name one. Nobody is meant: each has a part that is drawn.
type persona struct{ subject, client, email, name string }

// clientNames are those by which clients of MCP servers are registered or call themselves.
var clientNames = []string{
	"claude-ai", "cursor-vscode", "vscode", "chatgpt", "mcp-inspector", "gemini-cli", "windsurf", "goose", "mcp-remote", "librechat",
}

var givenNames = []string{"alice", "bjorn", "chen", "dana", "emeka", "farah", "goran", "hana", "ivan", "june"}

// newPersona draws one. The forms are those of the subjects that identity providers and clusters give.
func newPersona(draw *rand.Rand) persona {
	given, number := givenNames[draw.IntN(len(givenNames))], draw.Uint32()
	email := fmt.Sprintf("%s.%06x@example.com", given, number%(1<<24))
	client := clientNames[draw.IntN(len(clientNames))]
	subjects := []string{
		uuid(draw), fmt.Sprintf("auth0|%024x", draw.Uint64()), fmt.Sprintf("google-oauth2|1%020d", draw.Uint64()), email,
		fmt.Sprint(number), fmt.Sprintf("system:serviceaccount:agents:%s-%05x", given, number%(1<<20)),
		fmt.Sprintf("service-account-%s-%05x", client, number%(1<<20)),
	}
	if draw.IntN(4) == 0 {
		client = uuid(draw)
	}
	return persona{subject: subjects[draw.IntN(len(subjects))], client: client, email: email, name: given}
}

func uuid(draw *rand.Rand) string {
	a, b := draw.Uint64(), draw.Uint64()
	return fmt.Sprintf("%08x-%04x-4%03x-%04x-%012x", a>>32, a>>16&0xffff, a&0xfff, 0x8000|b>>48&0x3fff, b&0xffffffffffff)
}

// claims are those of the persona's token, of an issuer that knows callers by these claims.
func (p persona) claims(identity []string) map[string]any {
	out := map[string]any{
		"sub": p.subject, "client_id": p.client, "azp": p.client, "email": p.email, "name": p.name, "preferred_username": p.name,
		PodClaim: nil,
	}
	for _, claim := range identity {
		if _, known := out[claim]; !known {
			out[claim] = p.subject
		}
	}
	return out
}
