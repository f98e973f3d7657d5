package verify

import (
	"fmt"
	"slices"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/claimpath"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/deny"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

// provider is one issuer of tokens with its rules and its keys.
type provider struct {
	gateapi.Provider

	types    tokenTypes
	identity []string
	leeway   time.Duration
	longest  time.Duration // between "iat" and "exp"; 0 is no bound
	keys     []keys.Public
	probe    *keys.Public // one more key; nil if there is none
}

func newProvider(p gateapi.Provider, loaded []keys.Public, probe *keys.Public) *provider {
	identity := p.IdentityClaims
	if len(identity) == 0 {
		identity = subjectOnly
	}
	return &provider{
		Provider: p, types: newTokenTypes(p), identity: identity, keys: Usable(p, loaded), probe: probe,
		leeway:  time.Duration(p.ClockSkewSeconds) * time.Second,
		longest: time.Duration(p.MaxTokenLifetimeSeconds) * time.Second,
	}
}

// fitting are the keys that a token with this header may be signed with: those of its "kid", and those that have no name.
func (p *provider) fitting(h tokenHeader) ([]keys.Public, *deny.Denial) {
	if len(p.keys) == 0 {
		return nil, deny.KeysUnavailable()
	}
	if p.probe != nil && h.keyID == p.probe.ID {
		return h.pick(append(slices.Clip(p.keys), *p.probe))
	}
	if !slices.Contains(p.Algorithms, h.algorithm) {
		return nil, deny.Token(gateapi.ReasonUnsupportedAlgorithm).WithDetail("alg: %s, accepted are %v", h.algorithm, p.Algorithms)
	}
	return h.pick(p.keys)
}

// pick leaves those keys that a token with this header may be signed with.
func (h tokenHeader) pick(all []keys.Public) ([]keys.Public, *deny.Denial) {
	var fitting []keys.Public
	otherAlgorithm := false
	for _, key := range all {
		switch {
		case !h.mayMean(key):
		case key.Algorithm == h.algorithm:
			fitting = append(fitting, key)
		case h.keyID != "" && !key.Anonymous:
			otherAlgorithm = true
		}
	}
	if h.keyID == "" {
		fitting = unambiguous(fitting)
	}
	switch {
	case len(fitting) > 0:
		return fitting, nil
	case otherAlgorithm:
		return nil, deny.Token(gateapi.ReasonUnsupportedAlgorithm).WithDetail("alg: %s, not that of the named key", h.algorithm)
	case h.keyID == "":
		return nil, deny.Token(gateapi.ReasonUnknownKey).WithDetail("kid: absent, and not exactly one of %d keys fits", len(all))
	default:
		return nil, deny.Token(gateapi.ReasonUnknownKey).WithDetail("kid: of none of %d keys", len(all))
	}
}

// mayMean tells whether a token with this header could be signed with the key, by their names.
func (h tokenHeader) mayMean(key keys.Public) bool {
	return key.Anonymous || h.keyID == "" || h.keyID == key.ID
}

// unambiguous leaves out the keys that have names if there are several: without a "kid" nothing says which is meant, and
// to try them all would be work for anybody who asks for it.
func unambiguous(fitting []keys.Public) []keys.Public {
	named := func(key keys.Public) bool { return !key.Anonymous }
	if first := slices.IndexFunc(fitting, named); first < 0 || !slices.ContainsFunc(fitting[first+1:], named) {
		return fitting
	}
	return slices.DeleteFunc(fitting, named)
}

// judge compares claims with the provider's rules and the clock.
func (p *provider) judge(c tokenClaims, now time.Time) *deny.Denial {
	if c.expires.IsZero() {
		return deny.Token(gateapi.ReasonMissingClaim).WithDetail("exp: absent")
	}
	if denial := p.meant(c); denial != nil {
		return denial
	}
	if reason := p.life(c).judge(now); reason != "" {
		return deny.Token(reason).WithDetail("%s", p.lifeDetail(c, now))
	}
	switch {
	case p.longest == 0:
		return nil
	case c.issuedAt.IsZero():
		return deny.Token(gateapi.ReasonMissingClaim).WithDetail("iat: absent, and a longest lifetime is set")
	case c.expires.Sub(c.issuedAt) > p.longest:
		return deny.TokenLivesTooLong().WithDetail("exp: %s behind iat, the longest is %s", c.expires.Sub(c.issuedAt), p.longest)
	}
	return nil
}

// meant judges for whom a token is.
func (p *provider) meant(c tokenClaims) *deny.Denial {
	if len(p.Audiences) > 0 && len(c.audiences) == 0 {
		return deny.Token(gateapi.ReasonMissingClaim).WithDetail("aud: %s", c.kind("aud"))
	}
	// Whoever has no name here is not meant by any (RFC 7519 section 4.1.3).
	if len(p.Audiences) == 0 && c.has("aud") || len(p.Audiences) > 0 && !c.names(p.Audiences) {
		return deny.Token(gateapi.ReasonWrongAudience).WithDetail("%s", p.audienceDetail(c))
	}
	return p.demand(c)
}

// demand holds the token to the provider's RequiredClaims.
func (p *provider) demand(c tokenClaims) *deny.Denial {
	for _, want := range p.RequiredClaims {
		value, present := claimpath.MustParse(want.Name).In(c.members)
		switch {
		case !present:
			return deny.Token(gateapi.ReasonMissingClaim).WithDetail("%s: absent", want.Name)
		case !claimpath.Holds(value, want.Values):
			return deny.Token(gateapi.ReasonWrongAudience).WithDetail("%s: %s, none of the required values", want.Name, kindOf(value))
		}
	}
	return nil
}

// requires reports whether RequiredClaims names a claim.
func (p *provider) requires(name string) bool {
	return slices.ContainsFunc(p.RequiredClaims, func(want gateapi.ClaimMatch) bool { return want.Name == name || want.Name == "/"+name })
}

func (p *provider) audienceDetail(c tokenClaims) string {
	switch {
	case len(p.Audiences) == 0:
		return "aud: " + c.kind("aud") + ", and this provider has no audiences"
	case len(c.audiences) == 1:
		return "aud: another value than this server's"
	default:
		return fmt.Sprintf("aud: %d values, none of this server's", len(c.audiences))
	}
}

func (p *provider) lifeDetail(c tokenClaims, now time.Time) string {
	life := p.life(c)
	switch {
	case !now.Before(life.end):
		return fmt.Sprintf("exp: passed %s ago", now.Sub(c.expires).Round(time.Second))
	case c.issuedAt.After(c.notBefore):
		return fmt.Sprintf("iat: %s ahead", c.issuedAt.Sub(now).Round(time.Second))
	default:
		return fmt.Sprintf("nbf: %s ahead", c.notBefore.Sub(now).Round(time.Second))
	}
}

// tokenLife is when a token is accepted: from begin on and before end, with the provider's leeway.
type tokenLife struct{ begin, end time.Time }

func (p *provider) life(c tokenClaims) tokenLife {
	begin := c.notBefore
	if c.issuedAt.After(begin) {
		begin = c.issuedAt
	}
	return tokenLife{begin: begin.Add(-p.leeway), end: c.expires.Add(p.leeway)}
}

// judge gives the reason why a token of this life is not accepted now, or none.
func (l tokenLife) judge(now time.Time) gateapi.Reason {
	switch {
	case !now.Before(l.end):
		return gateapi.ReasonExpired
	case now.Before(l.begin):
		return gateapi.ReasonNotYetValid
	default:
		return ""
	}
}
