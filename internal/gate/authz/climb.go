package authz

import (
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

// climbs reports whether a URI has a ".." segment, escaped or not: resolved, it may lie outside of what it begins with
// (RFC 3986 section 5.2.4). What one server decodes and another does not may hide one, too: an escape that is broken or
// escaped itself, bytes that are no UTF-8, such as an overlong dot, control characters, and forms of dots and slashes that
// normalization makes plain.
func climbs(uri string) bool {
	if isFlat(uri) {
		return false
	}
	plain, err := url.PathUnescape(uri)
	if err != nil || strings.Contains(plain, "%") || !utf8.ValidString(plain) || strings.ContainsFunc(plain, unicode.IsControl) {
		return true
	}
	var out strings.Builder
	for _, c := range plain {
		switch dotted, isDots := dots[c]; {
		case isDots:
			out.WriteString(dotted)
		case isSlash(c):
			out.WriteByte('/')
		case !isUnseen(c):
			out.WriteRune(c)
		}
	}
	for segment := range strings.FieldsFuncSeq(out.String(), func(c rune) bool { return strings.ContainsRune("/:;?#&=\uff1b\uff1f\uff03", c) }) {
		if segment == ".." {
			return true
		}
	}
	return false
}

// isFlat reports whether a URI is of visible ASCII without escapes and without two dots in a row.
func isFlat(uri string) bool {
	for i := range len(uri) {
		if c := uri[i]; c <= ' ' || c > '~' || c == '%' {
			return false
		}
	}
	return !strings.Contains(uri, "..")
}
