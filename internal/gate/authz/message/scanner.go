package message

// scanner walks through JSON text (RFC 8259). The first problem ends the walk: from then on every method does nothing
// and tells that there is no more.
type scanner struct {
	data    []byte
	at      int
	depth   int
	names   int // what the messages are about, all together
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
func (s *scanner) member(first bool) (name rawText, ok bool) {
	if !s.more(first, '}') {
		return rawText{}, false
	}
	if s.next() != '"' {
		s.fail(notJSON)
		return rawText{}, false
	}
	name = s.text()
	if s.next() != ':' {
		s.fail(notJSON)
		return rawText{}, false
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
	start := s.at
	for s.take('0', '9') {
		continue
	}
	return s.at > start
}

// take reads a byte from low to high, if there is one.
func (s *scanner) take(low, high byte) bool {
	if s.at == len(s.data) || s.data[s.at] < low || s.data[s.at] > high {
		return false
	}
	s.at++
	return true
}
