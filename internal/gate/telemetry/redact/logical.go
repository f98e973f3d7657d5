package redact

import "unicode/utf8"

// logical is text as a lenient reader may understand it: percent escapes decoded, also those that were escaped several
// times, and fullwidth forms as the ASCII that they look like. Characters beyond ASCII are 0xff.
type logical struct {
	text  string
	chars []byte
	at    []int // where in text each char begins, and the text's length
}

func logicalOf(text string) logical {
	l := logical{text: text, chars: make([]byte, 0, len(text)), at: make([]int, 0, len(text)+1)}
	for i := 0; i < len(text); {
		c, width := logicalChar(text[i:])
		l.chars, l.at = append(l.chars, c), append(l.at, i)
		i += width
	}
	l.at = append(l.at, len(text))
	return l
}

func logicalChar(text string) (c byte, width int) {
	if text[0] == '%' {
		return unescaped(text)
	}
	if text[0] < utf8.RuneSelf {
		return text[0], 1
	}
	const fullwidth, first, last = 0xfee0, 0xff01, 0xff5e // Unicode, "Halfwidth and Fullwidth Forms"
	r, size := utf8.DecodeRuneInString(text)
	if r >= first && r <= last {
		return byte(r - fullwidth), size
	}
	return 0xff, size
}

// unescaped reads an escape, of which the percent sign may be escaped any number of times: %3f, %253f, %25253f.
func unescaped(text string) (c byte, width int) {
	i := 1
	for len(text) >= i+4 && text[i:i+2] == "25" {
		i += 2
	}
	if len(text) < i+2 {
		return '%', 1
	}
	high, isHigh := hexDigit(text[i])
	low, isLow := hexDigit(text[i+1])
	switch {
	case !isHigh || !isLow:
		return '%', 1
	case high<<4|low >= utf8.RuneSelf:
		return 0xff, i + 2
	default:
		return high<<4 | low, i + 2
	}
}

func hexDigit(c byte) (value byte, ok bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10, true
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10, true
	default:
		return 0, false
	}
}

// from gives the text from a char on, and until up to one.
func (l logical) from(i int) logical {
	return logical{text: l.text, chars: l.chars[i:], at: l.at[i:]}
}

func (l logical) until(i int) string { return l.text[l.at[0]:l.at[i]] }

// index of the first char that is one of a set; the length if there is none.
func (l logical) index(set string) int {
	for i, c := range l.chars {
		for j := range len(set) {
			if c == set[j] {
				return i
			}
		}
	}
	return len(l.chars)
}
