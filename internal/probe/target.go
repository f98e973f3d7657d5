package probe

import (
	"errors"
	"net/url"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/keys"
	"github.com/mcp-gatehouse/gatehouse/internal/token"
)

// Target is one gate to try.
type Target struct {
	// URL is the MCP endpoint: http(s)://host[:port]/path, without credentials, query or fragment.
	URL string
	// Providers are the issuers whose tokens the gate takes, at least one. The first gives the control of the round.
	Providers []Provider
	// Tier says how much is asked; empty is Full.
	Tier Tier
	// Exact asks for the answers of Gatehouse's own gate: 401, one Bearer challenge, a JSON-RPC error that names the
	// one thing that is wrong. Without it 401 and 403 count as a refusal, whatever they say.
	Exact bool
	// Timeout bounds each case as a whole, from the connection attempt to the last byte that matters. It must be
	// positive.
	Timeout time.Duration
	// ClockTolerance is the leeway that the gate grants on times. A larger difference between its clock and the
	// prober's makes the verdict ClockSkew. Less than 2 s is taken as 2 s.
	ClockTolerance time.Duration
	// Seed makes the variations of a round the same again; 0 draws one. The Report has it.
	Seed uint64
}

// Tier says how much of the cases a round asks.
type Tier string

const (
	// Full asks every case that the target's providers and policy allow.
	Full Tier = "Full"
	// Beat asks what a broken lock is most likely to fail, at little cost: no token, a malformed one, one of a wrong key,
	// and the control, once, at the end.
	Beat Tier = "Beat"
)

// Provider is one issuer of tokens, as far as the prober can play it.
type Provider struct {
	Name string
	// Tokens is the template of the control; every bad token is spoilt from it.
	Tokens token.Template
	// Retired are keys of this issuer that were in force once: a token of theirs must be refused.
	Retired []keys.Private
}

// validate does not quote a URL that is wrong: credentials or a token may stand in it.
func (t Target) validate() error {
	parsed, err := url.Parse(t.URL)
	switch {
	case err != nil || parsed.Host == "" || (parsed.Scheme != "http" && parsed.Scheme != "https"):
		return errors.New("the URL is not http(s)://host[:port]/path")
	case parsed.User != nil || parsed.RawQuery != "" || parsed.Fragment != "":
		return errors.New("the URL must not have credentials, a query or a fragment")
	case len(t.Providers) == 0:
		return errors.New("no provider: whose tokens shall be let in?")
	case t.Timeout <= 0:
		return errors.New("the timeout must be positive")
	}
	return nil
}
