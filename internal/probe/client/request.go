package client

import (
	"net/http"
	"strings"
)

// Request is one request, as it is to be sent. Its zero value is the opening request of a client, without a token.
type Request struct {
	// Method is the HTTP method; "" is POST. Others than POST and PUT carry no body.
	Method string
	// Authorization are the values of as many headers; spelled is how their name is written, "" as everybody does.
	Authorization []string
	Spelled       string
	// Message is the message; nil is the opening.
	Message *Message
	// Padding makes the body at least so many bytes long. bodiless leaves it out.
	Padding  int64
	Bodiless bool
	// Batch puts the message into an array.
	Batch bool
	// Chunked leaves the length unsaid; expecting asks whether the body is wanted; old speaks HTTP/1.0.
	Chunked, Expecting, Old bool
	// Trailing adds a trailer to a body in chunks; second speaks HTTP/2; absolute writes the whole URL into the request line.
	Trailing, Second, Absolute bool
	// Text is the body in place of a message, unless "".
	Text string
	// Calls calls one of the server's tools, as far as one is known that does nothing.
	Calls bool
	// ClientName is how the client calls itself in its opening, in place of the check's.
	ClientName string
	// header has further headers; an empty value leaves one out. elsewhere are the tokens in them.
	header    map[string]string
	Elsewhere []string
	// Path, in place of the target's, as it stands in the request line.
	Path string
	// Query, host and origin are set unless "".
	Query, Host, Origin string
	// Session, in place of the protocol version's.
	Session string
}

// Bearing is the request with a token.
func (s Request) Bearing(bearer string) Request {
	s.Authorization = []string{"Bearer " + bearer}
	return s
}

// With adds a header.
func (s *Request) With(name, value string) {
	if s.header == nil {
		s.header = map[string]string{}
	}
	s.header[name] = value
}

// HTTPMethod is its method as it is sent.
func (s Request) HTTPMethod() string {
	if s.Method == "" {
		return http.MethodPost
	}
	return s.Method
}

func (s Request) hasBody() bool {
	return !s.Bodiless && (s.HTTPMethod() == http.MethodPost || s.HTTPMethod() == http.MethodPut)
}

// Sent are the secrets of a request: an answer must not repeat them.
func (s Request) Sent() []string {
	var all []string
	for _, value := range s.Authorization {
		fields := strings.Fields(value)
		all = append(all, fields[min(1, len(fields)):]...)
	}
	if _, bearer, found := strings.Cut(s.Query, "access_token="); found {
		all = append(all, bearer)
	}
	return append(all, s.Elsewhere...)
}
