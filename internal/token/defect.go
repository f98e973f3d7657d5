package token

import (
	"fmt"
	"time"

	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

// Defect is the one thing that is wrong with a bad token.
type Defect string

const (
	// Expired: "exp" lies DefectMargin in the past, "iat" a Lifetime before it. RFC 7519 section 4.1.4.
	Expired Defect = "expired"
	// WrongKey: signed by a key that nobody knows, of the same algorithm, under the real key's "kid".
	WrongKey Defect = "wrong-key"
)

// Defects lists every way in which Bad can spoil a token.
func Defects() []Defect { return []Defect{Expired, WrongKey} }

// DefectMargin keeps times that must be wrong away from now, so that no usual difference between two clocks, and no
// leeway a verifier may grant (at most 5 minutes), can make them right.
const DefectMargin = time.Hour + 5*time.Minute

// Malformed is no JWT in any reading: one segment, and not base64url of JSON.
const Malformed = "not-a-valid-jwt-token"

// Bad mints the token that Good would mint at now, with one thing changed.
func (t Template) Bad(defect Defect, now time.Time) (string, error) {
	switch defect {
	case Expired:
		return t.sign(t.Key, t.claims(now.Add(-DefectMargin-t.Lifetime)))
	case WrongKey:
		other, err := keys.Generate(t.Key.Algorithm())
		if err != nil {
			return "", err
		}
		return t.sign(other, t.claims(now))
	default:
		return "", fmt.Errorf("mint token: unknown defect %q", defect)
	}
}
