package message

// Listen is the method that may name many resources, or none.
const Listen = "subscriptions/listen"

const complete = "completion/complete"

// naming are the methods whose messages name something. completion/complete names one of two kinds.
var naming = map[Target][]string{
	Tool:     {"tools/call"},
	Prompt:   {"prompts/get", complete},
	Resource: {"resources/read", "resources/subscribe", "resources/unsubscribe", Listen, complete},
	Task:     {"tasks/get", "tasks/result", "tasks/update", "tasks/cancel"},
}

// plain are the other methods that clients of MCP use.
var plain = []string{
	"initialize", "ping", "server/discover", "logging/setLevel", "tools/list", "prompts/list", "resources/list",
	"resources/templates/list", "tasks/list", "notifications/initialized", "notifications/cancelled",
	"notifications/progress", "notifications/roots/list_changed",
}

type method struct {
	name   string
	target Target
}

var methods = func() map[string]method {
	all := map[string]method{}
	for target, names := range naming {
		for _, name := range names {
			all[name] = method{name: name, target: target}
		}
	}
	all[complete] = method{name: complete}
	for _, name := range plain {
		all[name] = method{name: name}
	}
	return all
}()

// Naming lists the methods whose messages name something of this kind. The list belongs to this package.
func Naming(target Target) []string { return naming[target] }

// Known tells a method of MCP, spelled as it is there.
func Known(name string) bool {
	_, known := methods[name]
	return known
}

// resolve says what was found in a message.
func (s *scanner) resolve(e *envelope) Message {
	m := Message{ID: e.id, Kind: s.kind(e)}
	if !e.method.present {
		return m
	}
	m.Method, m.Target = s.method(e.method)
	switch {
	case m.Method == complete:
		m.Target, m.Name = s.reference(e)
	case m.Method == Listen:
		for _, uri := range e.subscriptions {
			m.URIs = append(m.URIs, s.name(uri))
		}
	case m.Target == Resource:
		m.Name = s.name(e.uri)
	case m.Target == Task:
		m.Name = s.name(e.task)
	case m.Target != None:
		m.Name = s.name(e.name)
	case e.name.present:
		m.Name = string(e.name.decoded())
	default:
		m.Name = string(e.uri.decoded())
	}
	return m
}

func (s *scanner) kind(e *envelope) Kind {
	switch {
	case e.method.present && e.answer:
		s.fail(bothKinds)
		return 0
	case e.method.present && e.id != nil:
		return Request
	case e.method.present:
		return Notification
	case e.answer:
		return Response
	default:
		s.fail(noKind)
		return 0
	}
}

func (s *scanner) method(v textValue) (string, Target) {
	raw := v.decoded()
	if known, ok := methods[string(raw)]; ok {
		return known.name, known.target
	}
	switch {
	case len(raw) == 0:
		s.fail(badMethod)
	case len(raw) > MaxMethodBytes:
		s.fail(longMethod)
	case hasControl(raw):
		s.fail(controlled)
	}
	return string(raw), None
}

func (s *scanner) name(v textValue) string {
	raw := v.decoded()
	switch {
	case v.present && !v.isText:
		s.fail(badName)
	case hasControl(raw):
		s.fail(controlled)
	}
	return string(raw)
}

// reference says what a completion is for. A ref that is both would leave it to the server what to complete.
func (s *scanner) reference(e *envelope) (Target, string) {
	ref := e.reference
	switch kind := string(ref.kind.decoded()); {
	case kind == "ref/prompt" && !ref.uri.present:
		return Prompt, s.name(ref.name)
	case kind == "ref/resource" && !ref.name.present:
		return Resource, s.name(ref.uri)
	default:
		s.fail(badReference)
		return None, ""
	}
}
