package authz

import "strings"

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

// begins compares byte for byte: the whole name, or with open its beginning.
func (p pattern) begins(name string) bool {
	return name == p.text || p.open && strings.HasPrefix(name, p.text)
}

// confines reports whether names that climb lie outside, although they begin like the pattern.
func (p pattern) confines() bool { return p.open && p.uri && p.text != "" }

// resembles reports whether a careless server could take a name for one that matches; see likenessOf.
func (p pattern) resembles(name string) bool {
	if isUsual(name) && isUsual(p.text) { // Nearly all: nothing but case can differ.
		return strings.EqualFold(name, p.text) || p.open && len(name) > len(p.text) && strings.EqualFold(name[:len(p.text)], p.text)
	}
	return covers(likenessOf(name), likenessOf(p.text), p.open)
}

// isUsual reports whether a name is its own likeness, but for case: visible ASCII with single slashes within.
func isUsual(name string) bool {
	for i := range len(name) {
		c := name[i]
		atEdge := i == 0 || i == len(name)-1
		if c <= ' ' || c > '~' || c == '\\' || c == '/' && (atEdge || name[i+1] == '/') {
			return false
		}
	}
	return true
}
