package authorize

import (
	"strings"
	"unicode"
)

// pattern is a name, or with open the beginning of names.
type pattern struct {
	text string
	open bool
	uri  bool // names are URIs
}

func patterns(names []string, uris bool) []pattern {
	var out []pattern
	for _, name := range names {
		text, open := strings.CutSuffix(name, "*")
		out = append(out, pattern{text: text, open: open, uri: uris})
	}
	return out
}

// matches compares byte for byte.
func (p pattern) matches(name string) bool {
	if !p.open {
		return name == p.text
	}
	confines := p.uri && p.text != ""
	return strings.HasPrefix(name, p.text) && (!confines || !climbs(name))
}

// resembles tells names that match when case, and white space and slashes around them, do not count.
func (p pattern) resembles(name string) bool {
	name = strings.TrimFunc(name, func(c rune) bool { return c == '/' || unicode.IsSpace(c) })
	if !p.open {
		return strings.EqualFold(name, p.text)
	}
	// Folded letters may have another length: so not a prefix in bytes.
	return strings.HasPrefix(fold(name), fold(p.text))
}

// fold gives equal texts for texts that are equal under simple folding.
func fold(text string) string {
	return strings.Map(func(c rune) rune {
		least := c
		for next := unicode.SimpleFold(c); next != c; next = unicode.SimpleFold(next) {
			least = min(least, next)
		}
		return least
	}, text)
}

// climbs tells a URI with a ".." segment, escaped or not: resolved, it may lie outside of what it begins with
// (RFC 3986 section 5.2.4). An escaped "%" may hide one.
func climbs(uri string) bool {
	if !strings.Contains(uri, "..") && !strings.Contains(uri, "%") {
		return false
	}
	plain := strings.ToLower(uri)
	if strings.Contains(plain, "%25") {
		return true
	}
	plain = strings.NewReplacer("%2e", ".", "%2f", "/", "%5c", "/", "%3b", ";", `\`, "/").Replace(plain)
	for segment := range strings.FieldsFuncSeq(plain, func(c rune) bool { return strings.ContainsRune("/:;?#&=", c) }) {
		if segment == ".." {
			return true
		}
	}
	return false
}
