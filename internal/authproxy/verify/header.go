package verify

import (
	"slices"
	"strings"
	"unicode"

	"github.com/mcp-gatehouse/gatehouse/internal/authproxy"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/deny"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

const maxKeyIDBytes = 256

// header is what of a token's header takes part in the verdict. "jwk", "jku", "x5c" and "x5u" never do: a token does
// not choose what it is checked with (RFC 8725 section 3.10).
type header struct {
	algorithm keys.Algorithm
	keyID     string // empty if absent
	kind      any    // "typ" as it is; nil if absent
}

// processing are parameters that change how the rest is to be read: extensions, none of which is understood here
// (RFC 7515 section 4.1.11), an unencoded payload (RFC 7797), and those of encrypted tokens (RFC 7516 section 4.1).
var processing = []string{"crit", "b64", "enc", "zip"}

// readHeader applies what needs neither provider nor key.
func readHeader(members object) (header, *deny.Denial) {
	algorithm, isText := members["alg"].(string)
	if !isText {
		return header{}, deny.Token(deny.MalformedToken)
	}
	if !slices.Contains(keys.Algorithms(), keys.Algorithm(algorithm)) {
		return header{}, deny.Token(deny.UnsupportedAlgorithm)
	}
	for _, name := range processing {
		if _, present := members[name]; present {
			return header{}, deny.Token(deny.MalformedToken)
		}
	}
	keyID, isText := members["kid"].(string)
	if _, present := members["kid"]; present && (!isText || !isKeyID(keyID)) {
		return header{}, deny.Token(deny.MalformedToken)
	}
	return header{algorithm: keys.Algorithm(algorithm), keyID: keyID, kind: members["typ"]}, nil
}

// isKeyID wants a short text that can be printed. It is only ever compared with the names of our keys.
func isKeyID(text string) bool {
	return text != "" && len(text) <= maxKeyIDBytes &&
		!strings.ContainsFunc(text, func(c rune) bool { return !unicode.IsPrint(c) })
}

// tokenTypes is a set of media types. "" stands for a token without one.
type tokenTypes map[string]bool

func newTokenTypes(p authproxy.Provider) tokenTypes {
	if len(p.TokenTypes) == 0 {
		return tokenTypes{"at+jwt": true} // RFC 9068 section 4
	}
	types := tokenTypes{}
	for _, kind := range p.TokenTypes {
		types[mediaType(kind)] = true
	}
	return types
}

// accept takes a "typ" parameter as it was read. One that is there and empty is no media type, and not absent either.
func (t tokenTypes) accept(kind any) bool {
	text, isText := kind.(string)
	if kind == nil {
		return t[""]
	}
	return isText && text != "" && t[mediaType(text)]
}

// mediaType spells a type in one way: case does not matter, and "application/" may be left out (RFC 7515 section
// 4.1.9).
func mediaType(kind string) string {
	lower := strings.ToLower(kind)
	if short, cut := strings.CutPrefix(lower, "application/"); cut && short != "" && !strings.Contains(short, "/") {
		return short
	}
	return lower
}
