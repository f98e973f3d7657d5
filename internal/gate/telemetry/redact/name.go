package redact

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// maxName bounds a Name in bytes, and maxRead what is looked at for one: nobody names anything at such length.
	maxName = 128
	maxRead = 2 << 10
)

// Name gives what may be told of the name of a tool, a prompt or a method, or of the URI of a resource, whichever it is:
// no userinfo, query, fragment or parameters (RFC 3986 section 3), however they are escaped, no content of a data URI
// (RFC 2397), and no JSON Web Token. What has control, format or broken characters, and what is still longer than 128
// bytes then, is left out altogether.
func Name(text string) string {
	if isPlainName(text) {
		return text
	}
	if len(text) > maxRead || !isPrintable(text) {
		return ""
	}
	if name := withoutTokens(withoutCredentials(logicalOf(text))); len(name) <= maxName {
		return name
	}
	return ""
}

// isPlainName is for nearly all names, also of URIs: without any of the characters by which something else could be in
// them, there is nothing to be looked for.
func isPlainName(text string) bool {
	for i := range len(text) {
		c := text[i]
		if !isLetter(c) && !isDigit(c) && strings.IndexByte("_-./: ~+", c) < 0 {
			return false
		}
	}
	return len(text) <= maxName && !strings.Contains(text, tokenStart)
}

func isPrintable(text string) bool {
	return !strings.ContainsFunc(text, func(c rune) bool { return c == utf8.RuneError || !unicode.IsPrint(c) })
}

// parameters begin where a name may go on with what is not its own.
const parameters = "?#;&="

func withoutCredentials(l logical) string {
	scheme := schemeOf(l)
	if isData(l) {
		return l.until(scheme)
	}
	rest := l.from(scheme)
	slashes := 0
	for slashes < len(rest.chars) && isSlash(rest.chars[slashes]) {
		slashes++
	}
	if slashes == 0 {
		return opaque(l)
	}
	prefix := l.until(scheme + slashes)
	rest = rest.from(slashes)
	// Whatever its reader takes for the authority ends at the first slash behind it at the earliest. What stands before
	// an @ could be a password, also one with slashes in it.
	authority := rest.index(`/\`)
	tail := authority + rest.from(authority).index("?#")
	at := bytes.LastIndexByte(rest.chars[:tail], '@')
	switch {
	case at >= 0:
		return prefix + Mask + "@" + untilParameters(rest.from(at+1))
	case bytes.IndexByte(rest.chars[tail:], '@') >= 0 && !isHostPort(rest.chars[:authority]):
		return prefix + Mask
	default:
		return prefix + untilParameters(rest)
	}
}

// opaque is a name without slashes before it, of which a scheme may be a part. Names are written with colons and @ as well.
func opaque(l logical) string {
	at := bytes.LastIndexByte(l.chars, '@')
	if at >= 0 && l.index(`:/\`) < len(l.chars) {
		return Mask + "@" + untilParameters(l.from(at+1))
	}
	return untilParameters(l)
}

// isData tells a data URI, which has a comma before its content, from a name in a namespace that is called so.
func isData(l logical) bool {
	const scheme = "data:"
	return len(l.chars) > len(scheme) && strings.EqualFold(string(l.chars[:len(scheme)]), scheme) && l.index(",") < len(l.chars)
}

// untilParameters also ends before a data URI that is part of another.
func untilParameters(l logical) string {
	end := l.index(parameters)
	lower := bytes.ToLower(l.chars[:end])
	for _, nested := range []string{"data:", "javascript:"} {
		at := bytes.Index(lower, []byte(nested))
		if at >= 0 && (at == 0 || !isLetter(lower[at-1])) && bytes.IndexByte(l.chars[at:], ',') >= 0 {
			end = min(end, at+len(nested))
		}
	}
	return l.until(end)
}

// schemeOf gives the length of a scheme with its colon (RFC 3986 section 3.1), 0 if there is none.
func schemeOf(l logical) int {
	for i, c := range l.chars {
		switch {
		case c == ':' && i > 0:
			return i + 1
		case !isLetter(c) && (i == 0 || !isDigit(c) && c != '+' && c != '-' && c != '.'):
			return 0
		}
	}
	return 0
}

// isHostPort tells a host, with or without a port, from what may be a user and a password.
func isHostPort(authority []byte) bool {
	_, port, found := bytes.Cut(authority, []byte(":"))
	return !found || bytes.HasPrefix(authority, []byte("[")) || bytes.IndexFunc(port, func(c rune) bool { return c < '0' || c > '9' }) < 0
}

func isSlash(c byte) bool  { return c == '/' || c == '\\' }
func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
func isDigit(c byte) bool  { return c >= '0' && c <= '9' }

// tokenStart begins every JSON Web Token: the base64 of `{"`.
const tokenStart = "eyJ"

// withoutTokens leaves out what begins like a JSON Web Token, up to what cannot be part of one.
func withoutTokens(text string) string {
	const shortest = 10
	for {
		before, token, found := strings.Cut(text, tokenStart)
		if !found {
			return text
		}
		end := strings.IndexFunc(token, func(c rune) bool {
			isPart := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.ContainsRune("-_.+=%", c)
			return !isPart
		})
		if end < 0 {
			end = len(token)
		}
		if len(tokenStart)+end < shortest {
			return before + tokenStart + token[:end] + withoutTokens(token[end:])
		}
		text = before + Mask + token[end:]
	}
}
