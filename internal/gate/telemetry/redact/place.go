package redact

import "strings"

// maxPlace bounds a Host, an Origin or a Path in bytes.
const maxPlace = 128

// Host gives what may be told of a Host header: a name or an IP address, and a port. Userinfo, which does not belong
// there, is left out, and so is everything that is not written like a host (RFC 3986 section 3.2.2).
func Host(text string) string {
	prefix := ""
	if l := logicalOf(text[:min(len(text), maxRead)]); strings.IndexByte(string(l.chars), '@') >= 0 {
		at := strings.LastIndexByte(string(l.chars), '@')
		prefix, text = Mask+"@", l.from(at+1).until(len(l.chars)-at-1)
	}
	host, port, found := strings.Cut(text, ":")
	if strings.HasPrefix(text, "[") {
		inside, after, _ := strings.Cut(text, "]")
		host, port, found = inside+"]", strings.TrimPrefix(after, ":"), len(after) > 0
	}
	switch {
	case !isHostName(host):
		return prefix + Mask
	case found && (len(port) > 5 || strings.ContainsFunc(port, func(c rune) bool { return c < '0' || c > '9' })):
		return prefix + host + ":" + Mask
	case found:
		return prefix + host + ":" + port
	default:
		return prefix + host
	}
}

// isHostName tells names as DNS has them, and addresses. A label of DNS has at most 63 characters (RFC 1035 section 2.3.4).
func isHostName(host string) bool {
	const longestLabel = 63
	if len(host) > maxPlace || withoutTokens(host) != host {
		return false
	}
	if inside, bracketed := strings.CutPrefix(host, "["); bracketed {
		return strings.HasSuffix(inside, "]") && !strings.ContainsFunc(inside[:len(inside)-1], func(c rune) bool {
			return !strings.ContainsRune("0123456789abcdefABCDEF:.", c)
		})
	}
	for label := range strings.SplitSeq(host, ".") {
		if len(label) > longestLabel || strings.ContainsFunc(label, func(c rune) bool { return !isPlain(c) }) {
			return false
		}
	}
	return true
}

// isPlain tells what names of hosts and segments of paths are usually made of.
func isPlain(c rune) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_'
}

// Origin gives what may be told of an Origin header: scheme, host and port (RFC 6454 section 7), or "null".
func Origin(text string) string {
	if text == "" || text == "null" {
		return text
	}
	scheme, rest, found := strings.Cut(text, "://")
	if !found || scheme == "" || len(scheme) > 20 || strings.ContainsFunc(scheme, func(c rune) bool {
		return !isPlain(c) && c != '+' && c != '.'
	}) {
		return Mask
	}
	// A slash in front of an @ may be part of a password.
	if at := strings.LastIndexByte(rest, '@'); at >= 0 && strings.ContainsAny(rest[:at], `/\?#`) {
		return scheme + "://" + Mask
	}
	end := strings.IndexAny(rest, `/\?#`)
	if end < 0 {
		return scheme + "://" + Host(rest)
	}
	return scheme + "://" + Host(rest[:end]) + "/" + Mask
}

// Method gives what may be told of an HTTP method: one that is registered (RFC 9110 section 9, RFC 5789, RFC 4918), however
// it is written, or "other".
func Method(text string) string {
	switch strings.ToUpper(text) {
	case "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PROPFIND", "QUERY":
		return text
	default:
		return "other"
	}
}

// Path gives what may be told of the path of a request: segments that look like words. Others may be keys, which some
// servers have in their paths.
func Path(text string) string {
	const most = 16
	var out strings.Builder
	for i, segment := range strings.Split(text[:min(len(text), maxRead)], "/") {
		if i > 0 {
			out.WriteByte('/')
		}
		if i > most || out.Len()+len(segment) > maxPlace {
			out.WriteString(Mask)
			break
		}
		if !isWordy(segment) {
			segment = Mask
		}
		out.WriteString(segment)
	}
	return out.String()
}

// isWordy tells a segment that people have named from one that was drawn: a key is long, and mixes digits with letters, or
// capitals with small letters, in what should be a word.
func isWordy(segment string) bool {
	const longest, longestWord, longestNumber, longestMixed, mostMixed = 40, 20, 10, 8, 2
	if len(segment) > longest {
		return false
	}
	mixed := 0
	for word := range strings.FieldsFuncSeq(segment, func(c rune) bool { return c == '-' || c == '_' || c == '.' }) {
		if len(word) > longestWord || len(word) > longestNumber && strings.ContainsAny(word, "0123456789") || strings.ContainsFunc(word, func(c rune) bool { return !isPlain(c) }) {
			return false
		}
		if changes(word) > 1 {
			mixed++
			if len(word) > longestMixed {
				return false
			}
		}
	}
	return mixed <= mostMixed
}

// changes counts how often digits and letters, or small letters and capitals, follow each other. A capital first letter is
// none.
func changes(word string) int {
	kind := func(c byte) int {
		switch {
		case isDigit(c):
			return 0
		case c < 'a':
			return 1
		default:
			return 2
		}
	}
	n := 0
	for i := 1; i < len(word); i++ {
		if kind(word[i]) != kind(word[i-1]) && (i > 1 || kind(word[0]) != 1) {
			n++
		}
	}
	return n
}
