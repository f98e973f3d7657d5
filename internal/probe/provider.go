package probe

import (
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/keys"
	"github.com/mcp-gatehouse/gatehouse/internal/token"
)

// Provider is one issuer of tokens, as far as the prober can play it.
type Provider struct {
	Name string
	// Tokens is the template of the positive control; every bad token is spoilt from it. Without a key there is the Bearer
	// alone.
	Tokens token.Template
	// Required are claims of Tokens, each a text, that the gate takes with certain values only: they say for whom a token is.
	Required []string
	// Bearer is a good token that somebody else has minted. It is the positive control where Tokens has no key; cases for which
	// a token would have to be signed are skipped then.
	Bearer string
	// Retired are keys of this issuer that were in force once: a token of theirs must be refused.
	Retired []keys.Private
	// Public are keys of this issuer whose private half is elsewhere. Tokens are forged under their names, and signed with
	// their bytes as if they were a shared secret.
	Public []keys.Public
	// MaxTokenLifetime is the longest life that the gate grants a token; 0 is no bound.
	MaxTokenLifetime time.Duration
	// Leeway is what the gate grants on the times of this issuer's tokens, where that is more than ClockTolerance.
	Leeway time.Duration
	// ProbeKey: Tokens.Key is the gate's probe key for this issuer, and not one of the issuer's own. Tokens then has the
	// subject Subject, also in each of Tokens.Identity, the claim PodClaim with the UID of the gate's pod, and a Lifetime of
	// at most a minute; OtherCaller replaces the subject by OtherSubject wherever it stands.
	ProbeKey bool
	// OtherCaller are the claims by which the positive control becomes another caller's token, such as {"sub": "somebody
	// else"}. The gate must accept that one, too. Empty: nobody else tries to enter the positive control's session.
	OtherCaller map[string]any
}
