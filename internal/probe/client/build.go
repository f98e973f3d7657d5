package client

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

	"github.com/mcp-gatehouse/gatehouse/internal/probe/wire"
)

// Prepared is a request that is ready, and the JSON-RPC id of its answer.
type Prepared struct {
	Request *http.Request
	ID      string
	Step    string
	Send    func(*http.Request, string) wire.Answer
}

// Build dresses the request as a client's request in the check's protocol version.
func (c *Client) Build(ctx context.Context, s Request) (Prepared, error) {
	for _, bearer := range s.Sent() {
		c.secrets.add(bearer)
	}
	message := c.messageFor(s)
	out := Prepared{ID: "null", Send: c.sendBy(s)}
	var body io.Reader = http.NoBody
	length := int64(0)
	if s.hasBody() {
		data, id, err := c.data(s, message)
		if err != nil {
			return Prepared{}, err
		}
		out.ID, out.Step, body, length = id, message.Method, io.NopCloser(bytes.NewReader(data)), int64(len(data))
	}
	request, err := http.NewRequestWithContext(ctx, s.HTTPMethod(), c.Target.URL, body)
	if err != nil {
		return Prepared{}, err
	}
	if request.ContentLength = length; s.Chunked {
		request.ContentLength = -1
	}
	if s.Trailing {
		request.Trailer = http.Header{"X-Checksum": {"0"}}
	}
	if err := s.aim(request.URL); err != nil {
		return Prepared{}, err
	}
	c.dress(request, s, message)
	out.Request = request
	return out, nil
}

// messageFor is the message of a request: its own, a call of a tool, or the opening.
func (c *Client) messageFor(s Request) Message {
	switch {
	case s.Message != nil:
		return *s.Message
	case s.Calls:
		return c.toolCall()
	}
	opening := c.opening()
	if s.ClientName != "" && !c.protocol.stateless {
		opening.Params["clientInfo"] = map[string]any{"name": s.ClientName, "version": c.Profile.version}
	}
	return opening
}

// data is the body of a request, and the id that the answer to it must have.
func (c *Client) data(s Request, message Message) (data []byte, id string, err error) {
	if s.Text != "" {
		return []byte(s.Text), idIn(s.Text), nil
	}
	if data, err = c.body(message, s.Padding); err != nil {
		return nil, "", err
	}
	switch {
	case s.Batch:
		return slices.Concat([]byte("["), data, []byte("]")), "null", nil
	case message.ID == 0 || s.Expecting: // a body that is not wanted names no id
		return data, "null", nil
	}
	return data, message.idText(), nil
}

// aim changes path and query.
func (s Request) aim(target *url.URL) error {
	if s.Path != "" {
		plain, err := url.PathUnescape(s.Path)
		if err != nil {
			return fmt.Errorf("path %q: %w", s.Path, err)
		}
		target.Path, target.RawPath = plain, s.Path
	}
	target.RawQuery = s.Query
	return nil
}

// dress sets the headers. All requests of a check have the same, but for what the request changes.
func (c *Client) dress(request *http.Request, s Request, message Message) {
	header := request.Header
	header.Set("User-Agent", c.Profile.userAgent)
	header.Set("X-Request-Id", c.requestID())
	header.Set("Accept", "application/json, text/event-stream")
	if s.hasBody() {
		header.Set("Content-Type", "application/json")
		c.name(header, s, message)
	}
	name := "Authorization"
	if s.Spelled != "" {
		name = s.Spelled
	}
	if len(s.Authorization) > 0 {
		header[name] = s.Authorization
	}
	session := c.protocol.session
	if s.Session != "" {
		session = s.Session
	}
	for name, value := range map[string]string{sessionHeader: session, VersionHeader: c.protocol.version, "Origin": s.Origin} {
		if value != "" {
			header.Set(name, value)
		}
	}
	if s.Expecting {
		header.Set("Expect", "100-continue")
	}
	for name, value := range s.header {
		if header.Set(name, value); value == "" {
			header[name] = nil
		}
	}
	if s.Host != "" {
		request.Host = s.Host
	}
}

// name repeats in headers what the message says, where the protocol version wants it. No header can speak for a batch.
func (c *Client) name(header http.Header, s Request, message Message) {
	if !c.protocol.stateless || s.Batch {
		return
	}
	header.Set(MethodHeader, message.Method)
	for _, member := range []string{"name", "uri"} {
		if name, ok := message.Params[member].(string); ok {
			header.Set(nameHeader, name)
		}
	}
}

func (c *Client) requestID() string {
	if c.Target.RequestID != nil {
		return c.Target.RequestID()
	}
	return fmt.Sprintf("%016x%016x", c.draw.Uint64(), c.draw.Uint64())
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

func (c Message) idText() string { return strconv.FormatInt(c.ID, 10) }

// sendBy sends a request in the way that it wants.
func (c *Client) sendBy(s Request) func(*http.Request, string) wire.Answer {
	switch {
	case s.Second:
		return c.Sender.SendHTTP2
	case s.Old:
		return func(request *http.Request, id string) wire.Answer {
			return c.Sender.SendRaw(request, id, wire.WriteHTTP10)
		}
	case s.Absolute:
		return func(request *http.Request, id string) wire.Answer {
			return c.Sender.SendRaw(request, id, (*http.Request).WriteProxy)
		}
	default:
		return c.Sender.Send
	}
}
