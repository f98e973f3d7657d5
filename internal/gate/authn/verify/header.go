package verify

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/deny"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
	"github.com/mcp-gatehouse/gatehouse/internal/keys"
)

const maxKeyIDBytes = 256

// tokenHeader is what of a token's header takes part in the verdict. "jwk", "jku", "x5c" and "x5u" never do: a token does
// not choose what it is checked with (RFC 8725 section 3.10).
type tokenHeader struct {
	algorithm keys.Algorithm
	keyID     string // empty if absent
	kind      any    // "typ" as it is
	hasKind   bool   // it is there; null is there, and no type
}

// processing are parameters that change how the rest is to be read: extensions, none of which is understood here
// (RFC 7515 section 4.1.11), an unencoded payload (RFC 7797), and those of encrypted tokens (RFC 7516 section 4.1).
var processing = []string{"crit", "b64", "enc", "zip"}

// readHeader applies what needs neither provider nor key.
func readHeader(members object) (tokenHeader, *deny.Denial) {
	algorithm, ok := members["alg"].(string)
	if !ok {
		return tokenHeader{}, deny.Token(gateapi.ReasonMalformedToken).WithDetail("alg: absent, or no string")
	}
	if algorithm == fullySpecified {
		algorithm = string(keys.EdDSA)
	}
	if !slices.Contains(keys.Algorithms(), keys.Algorithm(algorithm)) {
		return tokenHeader{}, deny.Token(gateapi.ReasonUnsupportedAlgorithm).WithDetail("alg: %.20q is not known", algorithm)
	}
	for _, name := range processing {
		if _, present := members[name]; present {
			return tokenHeader{}, deny.Token(gateapi.ReasonMalformedToken).WithDetail("%s: a header that is not understood here", name)
		}
	}
	keyID, ok := members["kid"].(string)
	if _, present := members["kid"]; present && (!ok || !isKeyID(keyID)) {
		return tokenHeader{}, deny.Token(gateapi.ReasonMalformedToken).WithDetail("kid: empty, longer than %d bytes, or no text that can be printed", maxKeyIDBytes)
	}
	kind, hasKind := members["typ"]
	return tokenHeader{algorithm: keys.Algorithm(algorithm), keyID: keyID, kind: kind, hasKind: hasKind}, nil
}

// fullySpecified is the name that RFC 9864 section 2.2 gives to EdDSA with Ed25519, the only curve that is taken here.
const fullySpecified = "Ed25519"

// isKeyID wants a short text that can be printed. It is only ever compared with the names of our keys.
func isKeyID(text string) bool {
	return text != "" && len(text) <= maxKeyIDBytes &&
		!strings.ContainsFunc(text, func(c rune) bool { return !unicode.IsPrint(c) })
}

// tokenTypes is a set of media types. "" stands for a token without one.
type tokenTypes map[string]bool

func newTokenTypes(p gateapi.Provider) tokenTypes {
	if len(p.TokenTypes) == 0 {
		return tokenTypes{"at+jwt": true} // RFC 9068 section 4
	}
	types := tokenTypes{}
	for _, kind := range p.TokenTypes {
		types[mediaType(kind)] = true
	}
	return types
}

// accept takes a "typ" parameter as it was read. One that is there and empty, or null, is no media type, and not absent
// either.
func (t tokenTypes) accept(h tokenHeader) bool {
	if !h.hasKind {
		return t[""]
	}
	text, ok := h.kind.(string)
	return ok && text != "" && t[mediaType(text)]
}

// String lists the types, for people.
func (t tokenTypes) String() string {
	names := slices.Sorted(maps.Keys(t))
	for i, name := range names {
		if name == "" {
			names[i] = "none"
		}
	}
	return strings.Join(names, ", ")
}

// kindText says what "typ" is, for people. Where it is a text, that is quoted: it is a word of the format.
func (h tokenHeader) kindText() string {
	text, ok := h.kind.(string)
	switch {
	case !h.hasKind:
		return "absent"
	case ok:
		return fmt.Sprintf("%.40q", text)
	default:
		return kindOf(h.kind)
	}
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
