package mask

import (
	"regexp"
	"strings"
	"unicode"
)

// Placeholder stands where a secret stood.
const Placeholder = "[redacted]"

// terminal are the sequences by which programs set colors, and make links (ECMA-48 sections 5.4 and 5.6).
var terminal = regexp.MustCompile(`\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b\n]*(?:\x07|\x1b\\)`)

// Clean drops terminal sequences, control and format characters such as bidirectional overrides and zero-width marks, and
// what is not UTF-8. Line ends and tabs stay.
func Clean(text string) string { return strings.Map(visible, terminal.ReplaceAllString(text, "")) }

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
