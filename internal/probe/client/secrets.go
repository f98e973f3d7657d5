package client

import (
	"strings"
	"unicode"

	"github.com/mcp-gatehouse/gatehouse/internal/mask"
)

const (
	// maxText bounds, in characters, each piece of the target's own words that a report repeats.
	maxText  = 120
	withheld = "(withheld: it repeats a token)"
)

// secrets are the tokens minted in a check. A target may answer with any text, also with what it was sent.
type secrets struct{ sent *mask.Sent }

func (s *secrets) add(bearer string) {
	if s.sent == nil {
		s.sent = &mask.Sent{}
	}
	s.sent.Add(bearer)
}

// clean makes the target's own words fit to repeat: bounded, in one line, without what has the shape of a secret, and
// withheld as a whole when they have a part of a token.
func (s secrets) clean(text string) string {
	if s.sent != nil && s.sent.Repeats(text) {
		return withheld
	}
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r):
			return -1
		default:
			return r
		}
	}, mask.Text(text))
	return mask.Cut(text, maxText)
}
