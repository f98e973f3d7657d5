package message

// Problem says what keeps a body from being read in one way only. Its text is fixed, fit for an answer to anybody.
type Problem string

// Error implements error.
func (p Problem) Error() string { return string(p) }

// What a body may suffer from.
const (
	notUTF8        Problem = "the body must be UTF-8"
	notJSON        Problem = "the body is not JSON"
	trailing       Problem = "the body goes on behind its JSON value"
	tooDeep        Problem = "the body nests deeper than 64 levels"
	tooMany        Problem = "the batch holds more than 1000 messages"
	tooManyNames   Problem = "the body names more than 1000 things"
	longMethod     Problem = "the method is longer than 256 bytes"
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
