package redact

import (
	"strings"
	"unicode"
)

// Mask stands where a secret stood.
const Mask = "[redacted]"

// Clean drops control and format characters: terminal escapes, bidirectional overrides, zero-width marks, and what is not
// UTF-8. Line ends and tabs stay.
func Clean(text string) string { return strings.Map(visible, text) }

func visible(r rune) rune {
	switch {
	case r == '\n' || r == '\t':
		return r
	case unicode.IsControl(r), unicode.Is(unicode.Cf, r), r == unicode.ReplacementChar:
		return -1
	}
	return r
}

// Cut shortens text to at most length characters. It takes them out of the middle: what failed stands at the beginning of
// an error, and why at its end.
func Cut(text string, length int) string {
	runes := []rune(text)
	if len(runes) <= length {
		return text
	}
	const gap = " … "
	kept := max(0, length-len([]rune(gap)))
	head := kept / 3
	return strings.TrimRight(string(runes[:head]), " ") + gap + strings.TrimLeft(string(runes[len(runes)-(kept-head):]), " ")
}
