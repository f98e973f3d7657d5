package message

import (
	"unicode/utf16"
	"unicode/utf8"
)

// rawText is a string as it is in the body, without its quotes.
type rawText struct {
	raw     []byte
	escaped bool // raw holds escapes
}

// text reads the string that begins here.
func (s *scanner) text() rawText {
	var out rawText
	start := s.at + 1
	for at := start; at < len(s.data); at++ {
		switch c := s.data[at]; {
		case c == '"':
			out.raw = s.data[start:at]
			s.at = at + 1
			return out
		case c == '\\':
			out.escaped = true
			at = s.escape(at + 1)
		case c < 0x20:
			s.fail(notJSON)
		}
		if s.problem != "" {
			return rawText{}
		}
	}
	s.fail(notJSON)
	return rawText{}
}

// escape judges the escape whose first byte behind the backslash is at this place, and gives the place of its last.
func (s *scanner) escape(at int) int {
	if at == len(s.data) {
		return at
	}
	switch s.data[at] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return at
	case 'u':
		unit, ok := hex4(s.data[at+1:])
		if !ok {
			s.fail(notJSON)
			return at
		}
		at += 4
		if !utf16.IsSurrogate(unit) {
			return at
		}
		if _, ok := lowSurrogate(s.data[at+1:], unit); !ok {
			s.fail(halfPair)
		}
		return at + len(`\uDC00`)
	default:
		s.fail(notJSON)
		return at
	}
}

// lowSurrogate completes a surrogate pair with the escape that begins text.
func lowSurrogate(text []byte, high rune) (rune, bool) {
	if len(text) < 2 || text[0] != '\\' || text[1] != 'u' {
		return 0, false
	}
	unit, ok := hex4(text[2:])
	whole := utf16.DecodeRune(high, unit)
	return whole, ok && whole != utf8.RuneError
}

func hex4(text []byte) (rune, bool) {
	if len(text) < 4 {
		return 0, false
	}
	var unit rune
	for _, c := range text[:4] {
		switch {
		case c >= '0' && c <= '9':
			unit = unit<<4 | rune(c-'0')
		case c >= 'a' && c <= 'f':
			unit = unit<<4 | rune(c-'a'+10)
		case c >= 'A' && c <= 'F':
			unit = unit<<4 | rune(c-'A'+10)
		default:
			return 0, false
		}
	}
	return unit, true
}

var shortEscapes = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// decoded is the string that a scanner has read. It is a part of the body if there is nothing to decode.
func (t rawText) decoded() []byte {
	if !t.escaped {
		return t.raw
	}
	out := make([]byte, 0, len(t.raw))
	for raw := t.raw; len(raw) > 0; {
		switch {
		case raw[0] != '\\':
			out = append(out, raw[0])
			raw = raw[1:]
		case raw[1] != 'u':
			out = append(out, shortEscapes[raw[1]])
			raw = raw[2:]
		default:
			unit, _ := hex4(raw[2:])
			raw = raw[6:]
			if utf16.IsSurrogate(unit) {
				unit, _ = lowSurrogate(raw, unit)
				raw = raw[6:]
			}
			out = utf8.AppendRune(out, unit)
		}
	}
	return out
}
