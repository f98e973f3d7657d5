package message

import (
	"unicode/utf16"
	"unicode/utf8"
)

// What a body may suffer from.
const (
	notUTF8        Problem = "the body must be UTF-8"
	notJSON        Problem = "the body is not JSON"
	trailing       Problem = "the body goes on behind its JSON value"
	tooDeep        Problem = "the body nests deeper than 64 levels"
	tooMany        Problem = "the batch holds more than 1000 messages"
	tooManyMembers Problem = "the message has more than 1000 members in one place"
	notMessage     Problem = "the body must be a JSON-RPC message or a batch of them"
	halfPair       Problem = "the body holds half a surrogate pair"
	twice          Problem = "the message has two members of the same name"
	lookalike      Problem = "the message has a member whose name differs only in case from one that is looked for"
	controlled     Problem = "the message has a control character in a name"
	badMethod      Problem = "the method must be a string that is not empty"
	badName        Problem = "what the method works on must be named by a string"
	badID          Problem = "the id must be a string, a number or null"
	badReference   Problem = "the ref of a completion must name either a prompt or a resource"
	bothKinds      Problem = "the message has both a method and a result or an error"
	noKind         Problem = "the message has neither a method nor a result nor an error"
)

// scanner walks through JSON text (RFC 8259). The first problem ends the walk: from then on every method does nothing
// and tells that there is no more.
type scanner struct {
	data    []byte
	at      int
	depth   int
	problem Problem
}

func (s *scanner) fail(problem Problem) {
	if s.problem == "" {
		s.problem = problem
	}
}

// next skips white space and gives the byte behind it, which stays to be read; 0 at the end.
func (s *scanner) next() byte {
	if s.problem != "" {
		return 0
	}
	for ; s.at < len(s.data); s.at++ {
		switch c := s.data[s.at]; c {
		case ' ', '\t', '\n', '\r':
		default:
			return c
		}
	}
	return 0
}

// enter goes into the array or object that begins here.
func (s *scanner) enter() {
	s.at++
	if s.depth++; s.depth > MaxDepth {
		s.fail(tooDeep)
	}
}

// more goes on to the next element, or member, of what ends with end; false when it has ended.
func (s *scanner) more(first bool, end byte) bool {
	c := s.next()
	switch {
	case c == end:
		s.at++
		s.depth--
		return false
	case s.problem != "":
		return false
	case first:
		return true
	case c != ',':
		s.fail(notJSON)
		return false
	}
	s.at++
	return true
}

// member goes on to the value of an object's next member and gives its name.
func (s *scanner) member(first bool) (name text, ok bool) {
	if !s.more(first, '}') {
		return text{}, false
	}
	if s.next() != '"' {
		s.fail(notJSON)
		return text{}, false
	}
	name = s.text()
	if s.next() != ':' {
		s.fail(notJSON)
		return text{}, false
	}
	s.at++
	return name, true
}

// skip reads one value of any kind.
func (s *scanner) skip() {
	switch c := s.next(); c {
	case '{':
		s.enter()
		for first := true; ; first = false {
			if _, ok := s.member(first); !ok {
				return
			}
			s.skip()
		}
	case '[':
		s.enter()
		for first := true; s.more(first, ']'); first = false {
			s.skip()
		}
	case '"':
		s.text()
	case 't':
		s.literal("true")
	case 'f':
		s.literal("false")
	case 'n':
		s.literal("null")
	default:
		s.number()
	}
}

func (s *scanner) literal(want string) {
	if len(s.data)-s.at < len(want) || string(s.data[s.at:s.at+len(want)]) != want {
		s.fail(notJSON)
		return
	}
	s.at += len(want)
}

func (s *scanner) number() {
	s.take('-', '-')
	if !s.take('0', '0') && !s.digits() {
		s.fail(notJSON)
		return
	}
	if s.take('.', '.') && !s.digits() {
		s.fail(notJSON)
	}
	if s.take('e', 'e') || s.take('E', 'E') {
		if !s.take('+', '+') {
			s.take('-', '-')
		}
		if !s.digits() {
			s.fail(notJSON)
		}
	}
}

func (s *scanner) digits() bool {
	any := false
	for s.take('0', '9') {
		any = true
	}
	return any
}

// take reads a byte from low to high, if there is one.
func (s *scanner) take(low, high byte) bool {
	if s.at == len(s.data) || s.data[s.at] < low || s.data[s.at] > high {
		return false
	}
	s.at++
	return true
}

// text is a string as it is in the body, without its quotes.
type text struct {
	raw     []byte
	escaped bool // raw holds escapes
}

// text reads the string that begins here.
func (s *scanner) text() text {
	var out text
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
			return text{}
		}
	}
	s.fail(notJSON)
	return text{}
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
		if _, ok := low(s.data[at+1:], unit); !ok {
			s.fail(halfPair)
		}
		return at + len(`\uDC00`)
	default:
		s.fail(notJSON)
		return at
	}
}

// low completes a surrogate pair with the escape that begins text.
func low(text []byte, high rune) (rune, bool) {
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
func (t text) decoded() []byte {
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
				unit, _ = low(raw, unit)
				raw = raw[6:]
			}
			out = utf8.AppendRune(out, unit)
		}
	}
	return out
}
