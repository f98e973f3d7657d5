package message

import (
	"bytes"
	"unicode"
)

// members walks through the members of one object in which a name decides: each may be there once, and none may be
// taken for another.
type members struct {
	wanted [][]byte // the names that are looked for, in ASCII
	name   []byte   // of the member whose value comes next
	begun  bool
	seen   seen
}

// members begins the walk through the object that begins here.
func (s *scanner) members(wanted [][]byte) members {
	s.enter()
	return members{wanted: wanted}
}

// next goes on to the next value in s; the caller reads it.
func (m *members) next(s *scanner) bool {
	name, ok := s.member(!m.begun)
	if !ok {
		return false
	}
	m.begun = true
	m.name = name.decoded()
	switch {
	case hasControl(m.name):
		s.fail(controlled)
	case !m.seen.add(m.name):
		s.fail(twice)
	case len(m.seen.many) > maxMembers:
		s.fail(tooManyMembers)
	case m.isLookalike():
		s.fail(lookalike)
	}
	return s.problem == ""
}

// isLookalike tells a name that a parser which folds case would take for a wanted one.
func (m *members) isLookalike() bool {
	name, ascii := m.name, isASCII(m.name)
	if !ascii {
		// Simple folding leaves the Turkish letters apart; some languages' upper case does not.
		name = bytes.ReplaceAll(bytes.ReplaceAll(name, []byte("ı"), []byte("i")), []byte("İ"), []byte("i"))
	}
	for _, wanted := range m.wanted {
		if ascii && len(name) != len(wanted) {
			continue
		}
		if bytes.EqualFold(name, wanted) {
			return !bytes.Equal(m.name, wanted)
		}
	}
	return false
}

func isASCII(text []byte) bool {
	for _, c := range text {
		if c > unicode.MaxASCII {
			return false
		}
	}
	return true
}

func hasControl(text []byte) bool {
	for _, c := range text {
		if c < 0x20 || c == 0x7f {
			return true
		}
		if c > unicode.MaxASCII {
			return bytes.ContainsFunc(text, unicode.IsControl)
		}
	}
	return false
}

// maxMembers bounds what is remembered of one object or list, and so the memory that a body can take up.
const maxMembers = 1000

// seen is the set of an object's names. Few are compared one by one; of many, no choice of names makes that slow.
type seen struct {
	few  [8][]byte
	n    int
	many map[string]bool
}

// add is false if the name is there already.
func (s *seen) add(name []byte) bool {
	for _, known := range s.few[:s.n] {
		if bytes.Equal(known, name) {
			return false
		}
	}
	if s.n < len(s.few) {
		s.few[s.n] = name
		s.n++
		return true
	}
	if s.many == nil {
		s.many = map[string]bool{}
	}
	known := s.many[string(name)]
	s.many[string(name)] = true
	return !known
}
