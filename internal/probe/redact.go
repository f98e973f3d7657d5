package probe

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// maxText bounds, in bytes, each piece of the target's own words that a report repeats.
	maxText = 120
	// gram is the length from which a piece of a token counts as the token. Shorter pieces occur in plain text.
	gram     = 8
	withheld = "(withheld: it repeats a token)"
)

// secrets are the tokens minted in a round. A target may answer with any text, also with what it was sent.
type secrets struct{ grams map[string]bool }

func (s *secrets) add(bearer string) {
	if s.grams == nil {
		s.grams = map[string]bool{}
	}
	for i := 0; i+gram <= len(bearer); i++ {
		s.grams[bearer[i:i+gram]] = true
	}
}

// clean makes the target's own words fit to repeat: bounded, in one line, without control and format characters, and
// withheld as a whole when they share gram characters in a row with a token.
func (s secrets) clean(text string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case r == utf8.RuneError || !unicode.IsPrint(r):
			return -1
		default:
			return r
		}
	}, text)
	for i := 0; i+gram <= len(text); i++ {
		if s.grams[text[i:i+gram]] {
			return withheld
		}
	}
	if len(text) <= maxText {
		return text
	}
	cut := maxText
	for !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "…"
}
