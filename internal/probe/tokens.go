package probe

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"slices"
	"strings"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/keys"
	"github.com/mcp-gatehouse/gatehouse/internal/token"
)

// tokenQuestions are all ways to spoil a token of one issuer.
func (r *round) tokenQuestions(from *issuer) []question {
	all := []question{r.flippedSignature(from)}
	for _, bad := range []struct {
		name   Case
		defect token.Defect
		reason string
	}{
		{Expired, token.Expired, "expired"},
		{NotYetValid, token.NotYetValid, "not_yet_valid"},
		{UnknownKid, token.UnknownKid, reasonUnknownKey},
		{WrongIssuer, token.WrongIssuer, "wrong_issuer"},
		{WrongAudience, token.WrongAudience, "wrong_audience"},
		{WrongType, token.WrongType, "wrong_type"},
		{MissingExpiry, token.MissingExpiry, "missing_claim"},
	} {
		if bad.name == UnknownKid && from.Tokens.Key.Public().Anonymous {
			continue // A key without a name is tried whatever the token names.
		}
		want := unauthorized(bad.reason)
		if bad.name == UnknownKid && from.ProbeKey {
			want.reasons = notOfIssuer
		}
		all = append(all, r.minted(bad.name, from, want, func(now time.Time) (string, error) {
			return from.Tokens.Bad(bad.defect, now)
		}))
	}
	all = append(all, r.foreign(from)...)
	all = append(all, r.otherKind(from))
	all = append(all, r.wrongKey(from))
	all = append(all, r.forgeries(from)...)
	all = append(all, r.borrowed(from)...)
	all = append(all, r.retired(from)...)
	all = append(all, r.spoilt(AlgNone, from, unauthorized(reasonAlgorithm), token.Unsigned))
	all = append(all, r.confused(from)...)
	all = append(all, r.otherAlgorithm(from)...)
	all = append(all, r.anonymous(from)...)
	all = append(all, r.limited(from)...)
	all = append(all, r.misused(from)...)
	order := Cases()
	slices.SortStableFunc(all, func(a, b question) int { return slices.Index(order, a.name) - slices.Index(order, b.name) })
	return all
}

// foreign are tokens of other applications of the issuer, by the claims that say for whom a token is.
func (r *round) foreign(from *issuer) []question {
	var all []question
	for _, claim := range from.Required {
		q := r.minted(WrongAudience, from, unauthorized("wrong_audience"), func(now time.Time) (string, error) {
			return from.Tokens.With(map[string]any{claim: "another-" + rand.Text()}).Good(now)
		})
		q.variation = "another " + claim
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
func (r *round) otherKind(from *issuer) question {
	kind := kinds[r.draw.IntN(len(kinds))]
	q := r.minted(WrongType, from, unauthorized("wrong_type"), func(now time.Time) (string, error) {
		return from.Tokens.With(kind.claims).Good(now)
	})
	q.variation = kind.name
	return q
}

// notOfIssuer are the reasons for which a token under another name than the probe key's may be refused: the algorithm of
// that key need not be one of the issuer's, and keys of the issuer's without a name are tried whatever the token names.
var notOfIssuer = []string{reasonUnknownKey, reasonAlgorithm, reasonSignature}

// minted asks with a token that only the issuer's key can make.
func (r *round) minted(name Case, from *issuer, want refusal, mint func(now time.Time) (string, error)) question {
	q := r.target.asks(name, from, want, func(now time.Time) (shot, error) {
		bad, err := mint(now)
		return shot{}.bearing(bad), err
	})
	if !from.signs() {
		q.lacks = lacksKey
	}
	return q
}

// spoilt asks with the control, changed in a way that anybody can.
func (r *round) spoilt(name Case, from *issuer, want refusal, spoil func(raw string) (string, error)) question {
	return r.target.asks(name, from, want, func(now time.Time) (shot, error) {
		good, err := r.controlAt(from, now)
		if err != nil {
			return shot{}, err
		}
		bad, err := spoil(good)
		return shot{}.bearing(bad), err
	})
}

// controlAt is the round's control for tokens of the round's beginning, and a new one later.
func (r *round) controlAt(from *issuer, now time.Time) (string, error) {
	if now.Equal(r.started) {
		return from.control, nil
	}
	return from.mint(now)
}

// flippedSignature: a gate that remembers the tokens it has let in must not know them by less than all of their bytes.
func (r *round) flippedSignature(from *issuer) question {
	want, bit := unauthorized(reasonSignature), r.drawFor(FlippedSignature, from.Name).Uint64()
	q := r.target.asks(FlippedSignature, from, want, nil)
	q.afterControl = true
	q.prepare = func(now time.Time) (attempt, error) {
		good, err := r.controlAt(from, now)
		if err != nil {
			return nil, err
		}
		bad, err := token.Flipped(good, bit)
		return func(ctx context.Context, r *round) finding {
			if good != from.control { // which was let in at the round's beginning
				if out := r.open(ctx, good); out.outcome != Passed {
					out.outcome = asPrecondition(out.outcome, out.answer.status)
					return out
				}
			}
			return r.refusal(ctx, shot{}.bearing(bad), want)
		}, err
	}
	return q
}

// wrongKey forges the control, under the real key's name.
func (r *round) wrongKey(from *issuer) question {
	return r.spoilt(WrongKey, from, unauthorized(reasonSignature), r.forge)
}

// forge signs the token with a key of the same algorithm that nobody knows.
func (r *round) forge(raw string) (string, error) {
	algorithm, err := token.Algorithm(raw)
	if err != nil {
		return "", err
	}
	if !slices.Contains(keys.Algorithms(), algorithm) {
		return "", token.ErrOpaque
	}
	stranger, err := r.prober.stranger(algorithm)
	if err != nil {
		return "", err
	}
	return token.Forged(raw, stranger)
}

// forgeries are made in the name of keys whose private half is elsewhere.
func (r *round) forgeries(from *issuer) []question {
	var all []question
	for _, victim := range from.Public[:min(len(from.Public), maxVictims)] {
		if victim.Algorithm == "" || victim.Algorithm.Symmetric() {
			continue
		}
		q := r.spoilt(WrongKey, from, unauthorized(reasonSignature), func(raw string) (string, error) {
			stranger, err := r.prober.stranger(victim.Algorithm)
			if err != nil {
				return "", err
			}
			return token.ForgedFor(raw, victim, stranger)
		})
		q.variation = "in the name of key " + victim.ID
		all = append(all, q)
	}
	return all
}

// retired signs with keys that were in force once.
func (r *round) retired(from *issuer) []question {
	var all []question
	for _, key := range from.Retired {
		q := r.signedWith(RetiredKey, from, key)
		q.variation = "key " + key.ID()
		all = append(all, q)
	}
	return all
}

// borrowed signs with keys that are in force for the other issuers, under their names. A key that is in force for this one,
// too, is no stranger.
func (r *round) borrowed(from *issuer) []question {
	var all []question
	for _, other := range r.issuers {
		if other == from || !other.signs() || other.Tokens.Key.ID() == from.Tokens.Key.ID() {
			continue
		}
		q := r.signedWith(WrongKey, from, other.Tokens.Key)
		q.variation = "key of provider " + other.Name
		all = append(all, q)
	}
	return all
}

// signedWith asks with the control, signed with a key that is not this issuer's. One without a name is tried against
// those in force.
func (r *round) signedWith(name Case, from *issuer, key keys.Private) question {
	want := unauthorized(reasonUnknownKey)
	if key.Public().Anonymous {
		want.reasons = []string{reasonSignature, reasonUnknownKey}
	}
	if from.ProbeKey && name == WrongKey {
		want.reasons = notOfIssuer
	} else if key.Algorithm() != from.Tokens.Key.Algorithm() {
		want.reasons = append(want.reasons, reasonAlgorithm)
	}
	return r.minted(name, from, want, func(now time.Time) (string, error) {
		template := from.Tokens
		template.Key = key
		return template.Good(now)
	})
}

// maxVictims bounds the public keys of an issuer in whose name something is tried.
const maxVictims = 4

// confused signs with the bytes of public keys, in the forms in which a program may hold them.
func (r *round) confused(from *issuer) []question {
	var all []question
	victims := append([]keys.Public{from.Tokens.Key.Public()}, from.Public...)
	for _, victim := range victims[:min(len(victims), maxVictims)] {
		for _, form := range formsOf(victim) {
			// A key without a name may stand beside shared secrets: then those are what the token is checked with.
			q := r.spoilt(AlgConfused, from, unauthorized(reasonAlgorithm, reasonSignature), func(raw string) (string, error) {
				return token.Confused(raw, victim, form.bytes)
			})
			q.variation = form.name + " of key " + victim.ID
			all = append(all, q)
		}
	}
	return all
}

type keyForm struct {
	name  string
	bytes []byte
}

// formsOf is empty for a shared secret, which has nothing public.
func formsOf(key keys.Public) []keyForm {
	der, err := x509.MarshalPKIXPublicKey(key.Key)
	if err != nil {
		return nil
	}
	forms := []keyForm{
		{"PEM", pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})},
		{"DER", der},
	}
	switch public := key.Key.(type) {
	case ed25519.PublicKey:
		forms = append(forms, keyForm{"raw bytes", public})
	case *ecdsa.PublicKey:
		if point, err := public.Bytes(); err == nil {
			forms = append(forms, keyForm{"raw bytes", point})
		}
	case *rsa.PublicKey:
		forms = append(forms, keyForm{"raw bytes", public.N.Bytes()})
	}
	return forms
}

// anonymous leaves out each of the claims that together say who the caller is.
func (r *round) anonymous(from *issuer) []question {
	var all []question
	for _, claim := range from.Tokens.IdentityClaims() {
		q := r.minted(MissingIdentity, from, unauthorized("missing_claim"), func(now time.Time) (string, error) {
			return from.Tokens.With(map[string]any{claim: nil}).Good(now)
		})
		q.variation = "without " + claim
		all = append(all, q)
	}
	return all
}

// limited are tokens that are good but for what this gate asks of them.
func (r *round) limited(from *issuer) []question {
	var all []question
	if from.MaxTokenLifetime > 0 {
		all = append(all, r.minted(TooLongLived, from, unauthorized("expired"), func(now time.Time) (string, error) {
			template := from.Tokens
			template.Lifetime = from.MaxTokenLifetime + token.DefectMargin
			return template.Good(now)
		}))
	}
	if limit := r.target.Policy.TokenBytes; limit > 0 && from == r.issuers[0] {
		all = append(all, r.minted(TooLongToken, from, unauthorized(reasonMalformed), func(now time.Time) (string, error) {
			return from.longer(limit, now)
		}))
	}
	return append(all, r.revoked(from)...)
}

// longer is a token that would be good if it had not more than so many bytes. It is longer by a few only: a header that is
// too long as a whole is refused by whatever comes first.
func (i *issuer) longer(limit int, now time.Time) (string, error) {
	good, err := i.Tokens.Good(now)
	if err != nil {
		return "", err
	}
	const encoded = 4.0 / 3 // base64url
	missing := max(0, float64(limit-len(good))/encoded)
	return i.Tokens.With(map[string]any{"padding": strings.Repeat("x", int(missing))}).Good(now)
}

// revoked are on the list, each in one way; of all issuers but the first, in one way.
func (r *round) revoked(from *issuer) []question {
	var all []question
	policy := r.target.Policy
	for _, entry := range []struct{ by, claim, value string }{
		{"by its id", "jti", policy.RevokedID},
		{"by its subject", "sub", policy.RevokedSubject},
		{"by the time of its issue", "sub", policy.RevokedBefore},
	} {
		skip := entry.value == "" || len(all) > 0 && from != r.issuers[0]
		if skip || entry.claim == "sub" && from.ProbeKey { // which signs for no such subject
			continue
		}
		q := r.minted(Revoked, from, unauthorized("revoked"), func(now time.Time) (string, error) {
			return from.Tokens.With(map[string]any{entry.claim: entry.value}).Good(now)
		})
		q.variation = entry.by
		all = append(all, q)
	}
	return all
}

// otherAlgorithm signs with the issuer's own key, by an algorithm that its type can serve and that is not its own.
func (r *round) otherAlgorithm(from *issuer) []question {
	others := from.Tokens.Key.Others()
	if len(others) == 0 {
		return nil // A key of an elliptic curve has one algorithm.
	}
	var all []question
	for _, key := range inTurn(r, others, 1) {
		all = append(all, r.byOtherAlgorithm(from, key))
	}
	return all
}

func (r *round) byOtherAlgorithm(from *issuer, key keys.Private) question {
	want := unauthorized(reasonAlgorithm)
	if key.Public().Anonymous { // It may stand beside keys of that algorithm, and none of them has a name.
		want.reasons = append(want.reasons, reasonUnknownKey, reasonSignature)
	}
	q := r.minted(OtherAlgorithm, from, want, func(now time.Time) (string, error) {
		template := from.Tokens
		template.Key = key
		return template.Good(now)
	})
	q.variation = string(key.Algorithm())
	return q
}

// missingScopes leaves out each scope that every token needs; of all issuers but the first, one of them.
func (t Target) missingScopes(from *issuer, all bool) []question {
	scopes := t.Policy.RequiredScopes
	if !all {
		scopes = scopes[:min(1, len(scopes))]
	}
	var out []question
	for _, missing := range scopes {
		q := t.asks(MissingScope, from, lacking(t.Policy.RequiredScopes), func(now time.Time) (shot, error) {
			template := from.Tokens
			template.Scope = strings.Join(slices.DeleteFunc(strings.Fields(template.Scope), func(scope string) bool { return scope == missing }), " ")
			raw, err := template.Good(now)
			return shot{}.bearing(raw), err
		})
		if q.variation = "without " + missing; !from.signs() {
			q.lacks = lacksKey
		}
		out = append(out, q)
	}
	return out
}
