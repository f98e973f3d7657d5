package plan

import (
	"errors"
	"slices"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/token"
)

// Issuer is a Provider at work.
type Issuer struct {
	probe.Provider
	// Control is its token of this check.
	Control string
}

// Signs reports whether tokens can be minted, or only be spoilt.
func (i *Issuer) Signs() bool { return i.Tokens.Key.Algorithm() != "" }

// Mint gives a token that must be let in.
func (i *Issuer) Mint(now time.Time) (string, error) {
	if !i.Signs() {
		return i.Bearer, nil
	}
	return i.Tokens.Good(now)
}

// SelectIssuers takes the providers of the check, and mints their positive controls: all, or for a quick check one, in turn by
// the seed.
func (p *Planner) SelectIssuers() error {
	providers := p.Target.Providers
	if p.Target.Tier == probe.Quick {
		turn := p.Draw.IntN(len(providers))
		providers = providers[turn : turn+1]
	}
	for _, provider := range providers {
		from := &Issuer{Provider: provider}
		var err error
		if from.Control, err = from.Mint(p.Started); err != nil {
			return err
		}
		p.Issuers = append(p.Issuers, from)
	}
	return nil
}

// EveryIssuer has the issuers that a quick check does not take, too.
func (p *Planner) EveryIssuer() []*Issuer {
	out := slices.Clone(p.Issuers)
	for _, provider := range p.Target.Providers {
		if slices.ContainsFunc(out, func(i *Issuer) bool { return i.Name == provider.Name }) {
			continue
		}
		from := &Issuer{Provider: provider}
		if control, err := from.Mint(p.Started); err == nil {
			from.Control = control
			out = append(out, from)
		}
	}
	return out
}

// Why a test case cannot be asked.
const (
	LacksKey    = "there is no key to sign such a token with"
	LacksBearer = "the token is not the prober's own, so it is not put into a URL"
	lacksJWT    = "the token is no JWT, so nothing in it can be changed"
)

// LackingOf explains a token that could not be spoilt.
func LackingOf(err error) string {
	if errors.Is(err, token.ErrOpaque) {
		return lacksJWT
	}
	return ""
}
