package cases

import (
	"crypto/rand"
	"fmt"
	"strings"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/client"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/expect"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/plan"
	"github.com/mcp-gatehouse/gatehouse/internal/token"
)

// replayed are the tokens of earlier checks, if their life has passed.
func replayed(p *plan.Planner) []plan.TestCase {
	var all []plan.TestCase
	for _, from := range p.Issuers {
		q := plan.OneRequest(p.Target, probe.Replayed, from, expect.Unauthorized("expired"), nil)
		q.Lacks = "no token of an earlier check has expired yet"
		if spent := p.Target.Replay.Of(from.Name); spent != nil && !p.Started.Before(spent.Ends) {
			q.Lacks = ""
			q.Prepare = plan.OneRequest(p.Target, probe.Replayed, from, expect.Unauthorized("expired"), func(time.Time) (client.Request, error) {
				return client.Request{}.Bearing(spent.Bearer), nil
			}).Prepare
		}
		if from.Signs() {
			all = append(all, q)
		}
	}
	return all
}

// foreign are tokens of other applications of the issuer, by the claims that say for whom a token is.
func foreign(p *plan.Planner, from *plan.Issuer) []plan.TestCase {
	var all []plan.TestCase
	for _, claim := range from.Required {
		q := p.Minted(probe.WrongAudience, from, expect.Unauthorized("wrong_audience"), func(now time.Time) (string, error) {
			return from.Tokens.With(map[string]any{claim: "another-" + rand.Text()}).Good(now)
		})
		q.Variation = "another " + claim
		all = append(all, q)
	}
	return all
}

// kinds are what tokens of other kinds say of themselves beside their "typ" (OpenID Connect Core section 2, OpenID Connect
// Back-Channel Logout section 2.4).
var kinds = []struct {
	name   string
	claims map[string]any
}{
	{"ID token", map[string]any{"typ": "ID", "at_hash": "x", "nonce": "x"}},
	{"refresh token", map[string]any{"typ": "Refresh", "token_use": "refresh"}},
	{"logout token", map[string]any{"events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}}}},
}

// otherKind is a token of another kind under the "typ" of an access token, as issuers write it that have one for all.
func otherKind(p *plan.Planner, from *plan.Issuer) plan.TestCase {
	kind := kinds[p.Draw.IntN(len(kinds))]
	q := p.Minted(probe.WrongType, from, expect.Unauthorized("wrong_type"), func(now time.Time) (string, error) {
		return from.Tokens.With(kind.claims).Good(now)
	})
	q.Variation = kind.name
	return q
}

// anonymous leaves out each of the claims that together say who the caller is.
func anonymous(p *plan.Planner, from *plan.Issuer) []plan.TestCase {
	var all []plan.TestCase
	for _, claim := range from.Tokens.IdentityClaims() {
		q := p.Minted(probe.MissingIdentity, from, expect.Unauthorized("missing_claim"), func(now time.Time) (string, error) {
			return from.Tokens.With(map[string]any{claim: nil}).Good(now)
		})
		q.Variation = "without " + claim
		if q.Lacks == "" && !from.Tokens.Has(claim) {
			q.Lacks = fmt.Sprintf("the good token has no claim %q either: what says whose it is, is not known", claim)
		}
		all = append(all, q)
	}
	return all
}

// limited are tokens that are good but for what this gate asks of them.
func limited(p *plan.Planner, from *plan.Issuer) []plan.TestCase {
	var all []plan.TestCase
	if from.MaxTokenLifetime > 0 {
		all = append(all, p.Minted(probe.TooLongLived, from, expect.Unauthorized("expired"), func(now time.Time) (string, error) {
			template := from.Tokens
			template.Lifetime = from.MaxTokenLifetime + token.DefectMargin
			return template.Good(now)
		}))
	}
	if limit := p.Target.Policy.TokenBytes; limit > 0 && from == p.Issuers[0] {
		all = append(all, p.Minted(probe.TooLongToken, from, expect.Unauthorized(probe.ReasonMalformed), func(now time.Time) (string, error) {
			return longer(from, limit, now)
		}))
	}
	return append(all, revoked(p, from)...)
}

// longer is a token that would be good if it had not more than so many bytes. It is longer by a few only: a header that is
// too long as a whole is refused by whatever comes first.
func longer(i *plan.Issuer, limit int, now time.Time) (string, error) {
	good, err := i.Tokens.Good(now)
	if err != nil {
		return "", err
	}
	const encoded = 4.0 / 3 // base64url
	missing := max(0, float64(limit-len(good))/encoded)
	return i.Tokens.With(map[string]any{"padding": strings.Repeat("x", int(missing))}).Good(now)
}

// revoked are on the list, each in one way; of all issuers but the first, in one way.
func revoked(p *plan.Planner, from *plan.Issuer) []plan.TestCase {
	var all []plan.TestCase
	policy := p.Target.Policy
	for _, entry := range []struct{ by, claim, value string }{
		{"by its id", "jti", policy.RevokedID},
		{"by its subject", "sub", policy.RevokedSubject},
		{"by the time of its issue", "sub", policy.RevokedBefore},
	} {
		skip := entry.value == "" || len(all) > 0 && from != p.Issuers[0]
		if skip || entry.claim == "sub" && from.ProbeKey { // which signs for no such subject
			continue
		}
		q := p.Minted(probe.Revoked, from, expect.Unauthorized("revoked"), func(now time.Time) (string, error) {
			return from.Tokens.With(map[string]any{entry.claim: entry.value}).Good(now)
		})
		q.Variation = entry.by
		all = append(all, q)
	}
	return all
}
