package message

// The names that are looked for in a message and in its parts.
var (
	inMessage       = memberNames("jsonrpc", "id", "method", "params", "result", "error")
	inParams        = memberNames("name", "uri", "taskId", "ref", "notifications", "_meta")
	inReference     = memberNames("type", "name", "uri")
	inNotifications = memberNames("resourceSubscriptions")
)

func memberNames(list ...string) [][]byte {
	var out [][]byte
	for _, name := range list {
		out = append(out, []byte(name))
	}
	return out
}

// envelope is what was found in one message. Whether it means something depends on the method, which may come last.
type envelope struct {
	method, name, uri, task textValue
	answer                  bool // there is a result or an error
	reference               struct{ kind, name, uri textValue }
	subscriptions           []textValue
	id                      []byte
}

// textValue is a member's value where only a string makes sense.
type textValue struct {
	rawText

	present, isText bool
}

func (s *scanner) document() Document {
	if s.next() != '[' {
		return Document{Messages: []Message{s.message()}}
	}
	document := Document{Batch: true}
	s.enter()
	for first := true; s.more(first, ']'); first = false {
		if len(document.Messages) == MaxBatch {
			s.fail(tooMany)
			break
		}
		document.Messages = append(document.Messages, s.message())
	}
	return document
}

// countName is asked before anything is kept: what a short text names can take up much memory.
func (s *scanner) countName() {
	if s.names++; s.names > MaxNames {
		s.fail(tooManyNames)
	}
}

func (s *scanner) message() Message {
	s.countName()
	if s.next() != '{' {
		s.notAMessage()
		return Message{}
	}
	var e envelope
	for m := s.members(inMessage); m.next(s); {
		switch string(m.name) {
		case "method":
			e.method = s.value()
		case "id":
			e.id = s.id()
		case "params":
			s.params(&e)
		case "result", "error":
			e.answer = true
			s.skip()
		default:
			s.skip()
		}
	}
	return s.resolve(&e)
}

// notAMessage tells a value that is none from text that is no JSON.
func (s *scanner) notAMessage() {
	if s.skip(); s.problem == "" {
		s.fail(notMessage)
	}
}

func (s *scanner) params(e *envelope) {
	if s.next() != '{' {
		s.skip() // JSON-RPC allows parameters by position, MCP has none.
		return
	}
	for m := s.members(inParams); m.next(s); {
		switch string(m.name) {
		case "name":
			e.name = s.value()
		case "uri":
			e.uri = s.value()
		case "taskId":
			e.task = s.value()
		case "ref":
			s.refer(e)
		case "notifications":
			s.notifications(e)
		case "_meta":
			s.unambiguous()
		default:
			s.skip()
		}
	}
}

func (s *scanner) refer(e *envelope) {
	if s.next() != '{' {
		s.skip()
		return
	}
	for m := s.members(inReference); m.next(s); {
		switch string(m.name) {
		case "type":
			e.reference.kind = s.value()
		case "name":
			e.reference.name = s.value()
		case "uri":
			e.reference.uri = s.value()
		default:
			s.skip()
		}
	}
}

func (s *scanner) notifications(e *envelope) {
	if s.next() != '{' {
		s.skip()
		return
	}
	for m := s.members(inNotifications); m.next(s); {
		if string(m.name) == "resourceSubscriptions" {
			e.subscriptions = s.values()
		} else {
			s.skip()
		}
	}
}

// values reads a list; null is an empty one, and anything else a list of one.
func (s *scanner) values() []textValue {
	switch s.next() {
	case 'n':
		s.skip()
		return nil
	case '[':
	default:
		return []textValue{s.value()}
	}
	var list []textValue
	s.enter()
	for first := true; s.more(first, ']'); first = false {
		if len(list) == maxMembers {
			s.fail(tooManyMembers)
		}
		if !first { // The message itself counts as one.
			s.countName()
		}
		list = append(list, s.value())
	}
	return list
}

// unambiguous reads a value; of an object each name may be there once.
func (s *scanner) unambiguous() {
	if s.next() != '{' {
		s.skip()
		return
	}
	for m := s.members(nil); m.next(s); {
		s.skip()
	}
}

func (s *scanner) value() textValue {
	if s.next() != '"' {
		s.skip()
		return textValue{present: true}
	}
	return textValue{rawText: s.text(), present: true, isText: true}
}

func (s *scanner) id() []byte {
	c := s.next()
	start := s.at
	if s.skip(); c == '{' || c == '[' || c == 't' || c == 'f' {
		s.fail(badID)
	}
	return s.data[start:s.at]
}
