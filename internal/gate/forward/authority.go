package forward

import "strings"

// authorityAt is where an authority (RFC 3986 section 3.2) stands in a text: what leads to it from start, itself from begin
// to end. end is 0 if there is none.
type authorityAt struct {
	start, begin, end int
	escaped           bool // as in a query: http%3A%2F%2Fhost
	foreign           bool // of a scheme that is not the web's
}

// webSchemes are those whose URLs lead to an HTTP server.
var webSchemes = []string{"https", "http", "wss", "ws"}

// nextAuthority finds the first authority in a text without capitals that begins at from or behind. It is as lenient as
// browsers (WHATWG URL, "special authority ignore slashes state"): a backslash is a slash, and behind a scheme of the web
// any number of them, or none, will do.
func nextAuthority(lower string, from int) authorityAt {
	for i := from; i < len(lower); i++ {
		at := authorityAt{start: i}
		if at.begin, at.escaped = behindScheme(lower, i); at.begin == 0 {
			at.begin = behindSlashes(lower, i)
			at.foreign = i > 0 && lower[i-1] == ':'
		}
		if at.begin == 0 {
			continue
		}
		if at.end = at.begin + authorityLength(lower[at.begin:], at.escaped); at.end > at.begin {
			return at
		}
	}
	return authorityAt{}
}

// behindScheme gives where the slashes behind a scheme of the web end that begins at i; 0 if there is none.
func behindScheme(lower string, i int) (begin int, escaped bool) {
	if i > 0 && isWord(lower[i-1]) {
		return 0, false
	}
	for _, scheme := range webSchemes {
		rest, found := strings.CutPrefix(lower[i:], scheme)
		if !found {
			continue
		}
		if behind, ok := strings.CutPrefix(rest, "%3a%2f%2f"); ok {
			return len(lower) - len(behind), true
		}
		if behind, ok := strings.CutPrefix(rest, ":"); ok {
			return len(lower) - len(strings.TrimLeft(behind, `/\`)), false
		}
	}
	return 0, false
}

// behindSlashes gives where two or more slashes end that begin a reference at i; 0 if there are none.
func behindSlashes(lower string, i int) int {
	if i > 0 && strings.IndexByte("<\"'=,; :", lower[i-1]) < 0 {
		return 0
	}
	behind := strings.TrimLeft(lower[i:], `/\`)
	if len(lower)-i-len(behind) < len("//") {
		return 0
	}
	return len(lower) - len(behind)
}

// authorityLength is how much of a text belongs to the authority that it begins with.
func authorityLength(lower string, escaped bool) int {
	for i := range len(lower) {
		switch c := lower[i]; {
		case strings.IndexByte("/\\?#&<>\"' ,;\t", c) >= 0:
			return i
		case escaped && c == '%' && !isOfHost(lower[i:]):
			return i
		}
	}
	return len(lower)
}

// isOfHost reports whether a text begins with an escaped colon, bracket or at sign.
func isOfHost(lower string) bool {
	for _, escape := range []string{"%3a", "%5b", "%5d", "%40"} {
		if strings.HasPrefix(lower, escape) {
			return true
		}
	}
	return false
}

func isSlash(c byte) bool { return c == '/' || c == '\\' }

func isWord(c byte) bool {
	return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '+' || c == '.' || c == '-'
}

// asciiLower keeps the length of a text, whatever is in it.
func asciiLower(text string) string {
	lower := []byte(text)
	for i, c := range lower {
		if 'A' <= c && c <= 'Z' {
			lower[i] = c + 'a' - 'A'
		}
	}
	return string(lower)
}
