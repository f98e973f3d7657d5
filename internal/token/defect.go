package token

import (
	"crypto/rand"
	"fmt"
	"strings"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

// Defect is the one thing that is wrong with a bad token.
type Defect string

const (
	// Expired: "exp" lies DefectMargin in the past, "iat" a Lifetime before it. RFC 7519 section 4.1.4.
	Expired Defect = "expired"
	// NotYetValid: "nbf" lies DefectMargin in the future. RFC 7519 section 4.1.5.
	NotYetValid Defect = "not-yet-valid"
	// MissingExpiry: there is no "exp".
	MissingExpiry Defect = "missing-expiry"
	// MissingIdentity: the first of the claims that say who the caller is, is absent.
	MissingIdentity Defect = "missing-identity"
	// WrongIssuer: "iss" is that of nobody. RFC 7519 section 4.1.1.
	WrongIssuer Defect = "wrong-issuer"
	// WrongAudience: "aud" is another server. RFC 7519 section 4.1.3.
	WrongAudience Defect = "wrong-audience"
	// WrongType: "typ" says logout token (OpenID Connect Back-Channel Logout section 2.4). RFC 8725 section 3.11.
	WrongType Defect = "wrong-type"
	// WrongKey: signed by a key that nobody knows, of the same algorithm, under the real key's "kid".
	WrongKey Defect = "wrong-key"
	// UnknownKid: signed by the real key, under a "kid" that nobody has.
	UnknownKid Defect = "unknown-kid"
	// AlgNone: unsigned, and says so. RFC 8725 section 3.2.
	AlgNone Defect = "alg-none"
)

// Defects lists every way in which Bad can spoil a token.
func Defects() []Defect {
	return []Defect{
		Expired, NotYetValid, MissingExpiry, MissingIdentity, WrongIssuer, WrongAudience, WrongType, WrongKey, UnknownKid,
		AlgNone,
	}
}

// DefectMargin keeps times that must be wrong away from now, so that no usual difference between two clocks, and no
// leeway a verifier may grant (at most 5 minutes), can make them right.
const DefectMargin = time.Hour + 5*time.Minute

// Malformed is no JWT in any reading: one segment, and not base64url of JSON.
const Malformed = "not-a-valid-jwt-token"

// typeLogoutToken is a type that no access token may have.
const typeLogoutToken = "logout+jwt"

// Bad mints the token that Good would mint at now, with one thing changed.
func (t Template) Bad(defect Defect, now time.Time) (string, error) {
	if changed := t.changed(defect, now); changed != nil {
		return t.With(changed).Good(now)
	}
	switch defect {
	case Expired:
		return t.Good(now.Add(-DefectMargin - t.Lifetime))
	case WrongType:
		t.Type = typeLogoutToken
		return t.Good(now)
	case WrongKey:
		other, err := keys.Generate(t.Key.Algorithm())
		if err != nil {
			return "", err
		}
		return t.sign(other, t.header(), t.claims(now))
	case UnknownKid:
		header := t.header()
		header["kid"] = rand.Text()
		return t.sign(t.Key, header, t.claims(now))
	case AlgNone:
		good, err := t.Good(now)
		if err != nil {
			return "", err
		}
		return Unsigned(good)
	default:
		return "", fmt.Errorf("mint token: unknown defect %q", defect)
	}
}

// changed is the claim of a defect that is one; nil of the others.
func (t Template) changed(defect Defect, now time.Time) map[string]any {
	switch defect {
	case NotYetValid:
		return map[string]any{"nbf": now.Add(DefectMargin).Unix()}
	case MissingExpiry:
		return map[string]any{"exp": nil}
	case MissingIdentity:
		return map[string]any{t.IdentityClaims()[0]: nil}
	case WrongIssuer:
		return map[string]any{"iss": another(t.Issuer)}
	case WrongAudience:
		return map[string]any{"aud": another(t.Audience)}
	default:
		return nil
	}
}

// another is a name that begins like the given one and is nobody's.
func another(name string) string { return name + "-" + strings.ToLower(rand.Text()[:8]) }
