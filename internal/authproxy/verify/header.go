package verify

import (
	"slices"
	"strings"

	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/deny"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

const maxKeyIDBytes = 256

// header is what of a token's header takes part in the verdict. "jwk", "jku", "x5c" and "x5u" never do: a token does
// not choose what it is checked with (RFC 8725 section 3.10).
type header struct {
	algorithm keys.Algorithm
	keyID     string // empty if absent
}

// judgeHeader applies what needs no key.
func judgeHeader(members object) (header, *deny.Denial) {
	algorithm, isText := members["alg"].(string)
	if !isText {
		return header{}, deny.Token(deny.MalformedToken)
	}
	if !slices.Contains(keys.Algorithms(), keys.Algorithm(algorithm)) {
		return header{}, deny.Token(deny.UnsupportedAlgorithm)
	}
	// No extension is understood here, so none may be critical (RFC 7515 section 4.1.11).
	if _, critical := members["crit"]; critical {
		return header{}, deny.Token(deny.MalformedToken)
	}
	keyID, isText := members["kid"].(string)
	if _, present := members["kid"]; present && (!isText || keyID == "" || len(keyID) > maxKeyIDBytes) {
		return header{}, deny.Token(deny.MalformedToken)
	}
	if !isAccessTokenType(members["typ"]) {
		return header{}, deny.Token(deny.WrongType)
	}
	return header{algorithm: keys.Algorithm(algorithm), keyID: keyID}, nil
}

// isAccessTokenType accepts the media type of RFC 9068 section 2.1; a type without "/" means "application/" (RFC 7515
// section 4.1.9), and media types ignore case.
func isAccessTokenType(value any) bool {
	text, isText := value.(string)
	return isText && (strings.EqualFold(text, "at+jwt") || strings.EqualFold(text, "application/at+jwt"))
}
