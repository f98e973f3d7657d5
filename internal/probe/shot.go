package probe

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// shot is one request, as it is to be sent. Its zero value is the opening request of a client, without a token.
type shot struct {
	// method is the HTTP method; "" is POST. Others than POST and PUT carry no body.
	method string
	// authorization are the values of as many headers; spelled is how their name is written, "" as everybody does.
	authorization []string
	spelled       string
	// call is the message; nil is the opening.
	call *call
	// padding makes the body at least so many bytes long. bodiless leaves it out.
	padding  int64
	bodiless bool
	// batch puts the message into an array.
	batch bool
	// chunked leaves the length unsaid; expecting asks whether the body is wanted; old speaks HTTP/1.0.
	chunked, expecting, old bool
	// trailing adds a trailer to a body in chunks; second speaks HTTP/2; absolute writes the whole URL into the request line.
	trailing, second, absolute bool
	// text is the body in place of a message, unless "".
	text string
	// calls calls one of the server's tools, as far as one is known that does nothing.
	calls bool
	// clientName is how the client calls itself in its opening, in place of the round's.
	clientName string
	// header has further headers; an empty value leaves one out. elsewhere are the tokens in them.
	header    map[string]string
	elsewhere []string
	// path, in place of the target's, as it stands in the request line.
	path string
	// query, host and origin are set unless "".
	query, host, origin string
	// session, in place of the dialect's.
	session string
}

// bearing is the shot with a token.
func (s shot) bearing(bearer string) shot {
	s.authorization = []string{"Bearer " + bearer}
	return s
}

// with adds a header.
func (s *shot) with(name, value string) {
	if s.header == nil {
		s.header = map[string]string{}
	}
	s.header[name] = value
}

func (s shot) httpMethod() string {
	if s.method == "" {
		return http.MethodPost
	}
	return s.method
}

func (s shot) hasBody() bool {
	return !s.bodiless && (s.httpMethod() == http.MethodPost || s.httpMethod() == http.MethodPut)
}

// sent are the secrets of a shot: an answer must not repeat them.
func (s shot) sent() []string {
	var all []string
	for _, value := range s.authorization {
		fields := strings.Fields(value)
		all = append(all, fields[min(1, len(fields)):]...)
	}
	if _, bearer, found := strings.Cut(s.query, "access_token="); found {
		all = append(all, bearer)
	}
	return append(all, s.elsewhere...)
}

// fired is a request that is ready, and the JSON-RPC id of its answer.
type fired struct {
	request *http.Request
	id      string
	step    string
	send    func(*http.Request, string) answer
}

// build dresses the shot as a client's request in the round's dialect.
func (r *round) build(ctx context.Context, s shot) (fired, error) {
	for _, bearer := range s.sent() {
		r.secrets.add(bearer)
	}
	message := r.messageOf(s)
	out := fired{id: "null", send: r.sender(s)}
	var body io.Reader = http.NoBody
	length := int64(0)
	if s.hasBody() {
		data, id, err := r.data(s, message)
		if err != nil {
			return fired{}, err
		}
		out.id, out.step, body, length = id, message.method, io.NopCloser(bytes.NewReader(data)), int64(len(data))
	}
	request, err := http.NewRequestWithContext(ctx, s.httpMethod(), r.target.URL, body)
	if err != nil {
		return fired{}, err
	}
	if request.ContentLength = length; s.chunked {
		request.ContentLength = -1
	}
	if s.trailing {
		request.Trailer = http.Header{"X-Checksum": {"0"}}
	}
	if err := s.aim(request.URL); err != nil {
		return fired{}, err
	}
	r.dress(request, s, message)
	out.request = request
	return out, nil
}

// messageOf is the message of a shot: its own, a call of a tool, or the opening.
func (r *round) messageOf(s shot) call {
	switch {
	case s.call != nil:
		return *s.call
	case s.calls:
		return r.toolCall()
	}
	opening := r.opening()
	if s.clientName != "" && !r.dialect.stateless {
		opening.params["clientInfo"] = map[string]any{"name": s.clientName, "version": r.disguise.version}
	}
	return opening
}

// data is the body of a shot, and the id that the answer to it must have.
func (r *round) data(s shot, message call) (data []byte, id string, err error) {
	if s.text != "" {
		return []byte(s.text), idIn(s.text), nil
	}
	if data, err = r.body(message, s.padding); err != nil {
		return nil, "", err
	}
	switch {
	case s.batch:
		return slices.Concat([]byte("["), data, []byte("]")), "null", nil
	case message.id == 0 || s.expecting: // a body that is not wanted names no id
		return data, "null", nil
	}
	return data, message.idText(), nil
}

// aim changes path and query.
func (s shot) aim(target *url.URL) error {
	if s.path != "" {
		plain, err := url.PathUnescape(s.path)
		if err != nil {
			return fmt.Errorf("path %q: %w", s.path, err)
		}
		target.Path, target.RawPath = plain, s.path
	}
	target.RawQuery = s.query
	return nil
}

// dress sets the headers. All requests of a round have the same, but for what the shot changes.
func (r *round) dress(request *http.Request, s shot, message call) {
	header := request.Header
	header.Set("User-Agent", r.disguise.userAgent)
	header.Set("X-Request-Id", r.requestID())
	header.Set("Accept", "application/json, text/event-stream")
	if s.hasBody() {
		header.Set("Content-Type", "application/json")
		r.name(header, s, message)
	}
	name := "Authorization"
	if s.spelled != "" {
		name = s.spelled
	}
	if len(s.authorization) > 0 {
		header[name] = s.authorization
	}
	session := r.dialect.session
	if s.session != "" {
		session = s.session
	}
	for name, value := range map[string]string{sessionHeader: session, versionHeader: r.dialect.version, "Origin": s.origin} {
		if value != "" {
			header.Set(name, value)
		}
	}
	if s.expecting {
		header.Set("Expect", "100-continue")
	}
	for name, value := range s.header {
		if header.Set(name, value); value == "" {
			header[name] = nil
		}
	}
	if s.host != "" {
		request.Host = s.host
	}
}

// name repeats in headers what the message says, where the dialect wants it. No header can speak for a batch.
func (r *round) name(header http.Header, s shot, message call) {
	if !r.dialect.stateless || s.batch {
		return
	}
	header.Set(methodHeader, message.method)
	for _, member := range []string{"name", "uri"} {
		if name, ok := message.params[member].(string); ok {
			header.Set(nameHeader, name)
		}
	}
}

func (r *round) requestID() string {
	if r.target.RequestID != nil {
		return r.target.RequestID()
	}
	return fmt.Sprintf("%016x%016x", r.draw.Uint64(), r.draw.Uint64())
}

// fire sends the shot on a connection of its own.
func (r *round) fire(ctx context.Context, s shot) finding {
	ready, err := r.build(ctx, s)
	if err != nil {
		return finding{outcome: NotTried, answer: unsent(err)}
	}
	return finding{answer: ready.send(ready.request, ready.id), step: ready.step, id: ready.id, method: s.httpMethod()}
}

// refusal fires a shot that must be refused, and closes the session of one that was not.
func (r *round) refusal(ctx context.Context, s shot, want refusal) finding {
	want.bodyless = s.httpMethod() == http.MethodHead
	out := r.fire(ctx, s)
	if out.outcome == NotTried {
		return out
	}
	out.outcome = want.judge(out.answer, out.id, r.target.Exact, s.sent())
	r.closeIfOpened(ctx, s, out)
	return out
}

func (r *round) closeIfOpened(ctx context.Context, s shot, out finding) {
	if session := out.session(); session != "" && session != s.session {
		r.closeSession(ctx, shot{authorization: s.authorization[:min(1, len(s.authorization))]}, session)
	}
}

// idIn is the id of a message, null if it has none.
func idIn(text string) string {
	var named struct {
		ID json.RawMessage `json:"id"`
	}
	if json.Unmarshal([]byte(text), &named) != nil || named.ID == nil {
		return "null"
	}
	return string(named.ID)
}

func (c call) idText() string { return strconv.FormatInt(c.id, 10) }
