package verify

import (
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/claimpath"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/authn/revocation"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/deny"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

// Verifier judges tokens by one configuration, one set of keys and one list of revocations. It remembers the tokens
// that it has accepted; other keys or other rules are another Verifier, which knows nothing of them.
type Verifier struct {
	byIssuer   map[string]*provider // "" for tokens without "iss"
	revoked    revocation.List
	claimPaths map[string]claimpath.Path // of the claims that a Principal keeps, by name
	maxBytes   int
	podUID     string
	now        func() time.Time
	cache      *cache
}

// New makes a Verifier for the gate of one pod. loaded holds each provider's keys under its name; a provider without keys
// lets nobody in, whatever the probe key has signed. Without a podUID nothing of the probe key is accepted.
func New(
	config gateapi.Config, podUID string, loaded map[string][]keys.Public, revoked revocation.List, now func() time.Time,
) *Verifier {
	v := &Verifier{
		byIssuer: map[string]*provider{}, revoked: revoked, claimPaths: claimPaths(config),
		maxBytes: int(config.Limits.TokenBytes), podUID: podUID, now: now, cache: new(cache),
	}
	for _, p := range config.Providers {
		v.byIssuer[p.Issuer] = newProvider(p, loaded[p.Name], probeKeyOf(config, p))
	}
	return v
}

// Verify is Screen and Candidate.Verify in one.
func (v *Verifier) Verify(raw string) (Principal, *deny.Denial) {
	candidate, denial := v.Screen(raw)
	if denial != nil {
		return Principal{}, denial
	}
	return candidate.Verify()
}

// Screen does all that costs no cryptography: size, tokens already known, format, header, issuer, key, claims, in this
// order; the first that fails gives the reason, but that a key is unknown comes behind the claims: a token of which
// nothing else is wrong may be signed with a new key, worth asking the issuer for. What a token says of itself is not believed by that: it can only
// refuse it, or pick the keys by which it is then checked.
//
// The Candidate tells which provider and key were named also where it is refused.
func (v *Verifier) Screen(raw string) (Candidate, *deny.Denial) {
	if len(raw) > v.maxBytes {
		return Candidate{}, deny.Token(gateapi.ReasonMalformedToken).WithDetail("%d bytes, longer than %d", len(raw), v.maxBytes)
	}
	now, digest := v.now(), digestOf(raw)
	// What is outside its life goes on, to be refused for what it is.
	if known := v.cache.get(digest); known != nil && known.life.judge(now) == "" {
		return Candidate{known: known, provider: known.principal.provider, keyID: known.principal.keyID}, nil
	}
	token, ok := split(raw)
	if !ok {
		return Candidate{}, deny.Token(gateapi.ReasonMalformedToken).WithDetail("not three parts in base64url, or no JSON objects that can be read in one way only")
	}
	header, denial := readHeader(token.header)
	if denial != nil {
		return Candidate{}, denial
	}
	claims, denial := readClaims(token.claims)
	if denial != nil {
		return Candidate{}, denial
	}
	from, denial := v.provider(claims)
	if denial != nil {
		return Candidate{}, denial
	}
	fresh := &freshToken{verifier: v, digest: digest, token: token, claims: claims, from: from}
	candidate := Candidate{fresh: fresh, provider: from.Name, keyID: header.keyID}
	return candidate, fresh.screen(header, now)
}

// provider picks by "iss": an issuer is believed only together with a key of its own (RFC 8725 section 3.8). Whoever
// names an issuer is never judged by the provider that has none.
func (v *Verifier) provider(c tokenClaims) (*provider, *deny.Denial) {
	from, known := v.byIssuer[c.issuer]
	switch {
	case !c.has("iss") && !known:
		return nil, deny.Token(gateapi.ReasonMissingClaim).WithDetail("iss: absent")
	case !known || c.has("iss") && c.issuer == "":
		return nil, deny.Token(gateapi.ReasonWrongIssuer).WithDetail("iss: %s, none of %d issuers", c.kind("iss"), len(v.byIssuer))
	}
	return from, nil
}

// claimPaths are those of the claims that the configuration names.
func claimPaths(config gateapi.Config) map[string]claimpath.Path {
	paths := map[string]claimpath.Path{}
	for _, name := range config.ClaimsUsed() {
		paths[name] = claimpath.MustParse(name)
	}
	return paths
}

// maxAnonymous bounds the keys that are tried for one token because nothing tells them apart: twice what a provider has
// files, so that each may hold an old key and a new one.
const maxAnonymous = 2 * gateapi.MaxKeyFiles

// Usable are the keys that have an algorithm which the provider may use, each bound to it; and of those without a name
// the first maxAnonymous of an algorithm.
func Usable(p gateapi.Provider, loaded []keys.Public) []keys.Public {
	usable, anonymous := []keys.Public{}, map[keys.Algorithm]int{}
	for _, key := range loaded {
		bound, fits := key.Bind(p.Algorithms)
		if !fits || bound.Anonymous && anonymous[bound.Algorithm] == maxAnonymous {
			continue
		}
		if bound.Anonymous {
			anonymous[bound.Algorithm]++
		}
		usable = append(usable, bound)
	}
	return usable
}
