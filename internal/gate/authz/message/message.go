// Package message reads JSON-RPC messages out of a request body, to judge them before the server gets the same bytes.
//
// JSON parsers differ: some fold the case of member names, some take the first of two equal names and some the last,
// some guess an encoding. A judge who reads one method where the server reads another judges nothing. So Parse accepts
// only what every parser reads the same way, in all that a judgement rests on; everything else is a Problem.
//
// It must not know who sends a message, nor what is allowed.
package message

import "unicode/utf8"

const (
	// MaxDepth bounds how deep arrays and objects nest; the outermost is 1.
	MaxDepth = 64
	// MaxBatch bounds the messages of one batch (JSON-RPC 2.0 section 6; in MCP only in revision 2025-03-26).
	MaxBatch = 1000
	// MaxNames bounds what all messages of a body are about together: a message counts as one, and one that lists
	// resources as many as it lists. Each of them is compared with every rule.
	MaxNames = 1000
	// MaxMethodBytes bounds the length of a method; the longest of MCP has 35 bytes.
	MaxMethodBytes = 256
)

// Kind is what a message is to JSON-RPC 2.0.
type Kind int

// The kinds. A message with a method and an "id", whatever its value, is a request.
const (
	Request Kind = iota + 1
	Notification
	Response
)

// Target is the kind of thing that a message names.
type Target int

// The targets, and the methods that name them.
const (
	// None: every method that is not listed below.
	None Target = iota
	// Tool: tools/call, in params.name.
	Tool
	// Prompt: prompts/get, in params.name; completion/complete with a ref of type ref/prompt, in params.ref.name.
	Prompt
	// Resource: resources/read, resources/subscribe and resources/unsubscribe, in params.uri; completion/complete with a
	// ref of type ref/resource, in params.ref.uri; subscriptions/listen, in params.notifications.resourceSubscriptions.
	Resource
	// Task: tasks/get, tasks/result, tasks/update and tasks/cancel, in params.taskId. Which tool made the task is not
	// in the message: whoever may not call the tool has no task of it, and to keep tasks apart is the server's duty.
	Task
)

// String is what a target is called in a sentence.
func (t Target) String() string {
	switch t {
	case Tool:
		return "tool"
	case Prompt:
		return "prompt"
	case Resource:
		return "resource"
	case Task:
		return "task"
	default:
		return "method"
	}
}

// Message is what a judgement can rest on.
type Message struct {
	Kind Kind
	// Method is empty in a response, and nowhere else.
	Method string
	// Target says what Name, or URIs, are. A method with a Target may come without a Name: it is empty then. Without a
	// Target, Name is params.name, or else params.uri, if that is a string: clients repeat it in a header all the same.
	Target Target
	Name   string
	// URIs are the resources that a subscriptions/listen is about; its Name is empty.
	URIs []string
	// ID is the "id" as it is in the body, of which it is a part; nil if there is none.
	ID []byte
}

// Document is a body that was read.
type Document struct {
	// Batch tells that the body is an array. It may be empty; without it there is exactly one message.
	Batch    bool
	Messages []Message
}

// Parse reads a body. Its error is a Problem.
//
// It wants UTF-8 without a byte order mark, and one JSON value (RFC 8259) within MaxDepth with nothing behind it: a
// message, or a batch of at most MaxBatch. In a message, its params, and in params._meta, params.ref and
// params.notifications, no name may be there twice, have control characters, or equal in other case a name that Parse
// looks for; nor may there be more than 1000. MaxNames and MaxMethodBytes bound what has to be judged. Names and texts are compared with their escapes decoded; half a surrogate
// pair is refused anywhere.
func Parse(body []byte) (Document, error) {
	if !utf8.Valid(body) {
		return Document{}, notUTF8
	}
	s := scanner{data: body}
	document := s.document()
	if s.next(); s.problem == "" && s.at < len(body) {
		s.fail(trailing)
	}
	if s.problem != "" {
		return Document{}, s.problem
	}
	return document, nil
}

// Peek reads the first message in the beginning of a body as far as it goes, for whoever wants to tell and not to
// judge. What cannot be read is left empty. Nothing is promised about the characters in it.
func Peek(head []byte) Message {
	s := scanner{data: head}
	if s.next() == '[' {
		s.enter()
	}
	return s.message()
}
