package client

import (
	"fmt"
	"strings"

	"github.com/mcp-gatehouse/gatehouse/internal/probe"
	"github.com/mcp-gatehouse/gatehouse/internal/probe/wire"
)

// Seen describes an exchange. Of the answer it repeats only what comes from a closed set, and a cleaned error message.
func (c *Client) Seen(f Exchange) string {
	text := describe(f.Outcome)
	if f.Answer.Status != 0 {
		text = c.seenAnswer(f)
		if rest := f.Answer.Outcome(); rest != probe.Passed {
			text += ", then " + describe(rest)
		}
	}
	if f.Step != "" && f.Step != "initialize" && f.Step != "server/discover" && f.Step != probe.MethodPing {
		return f.Step + ": " + text
	}
	return text
}

func (c *Client) seenAnswer(f Exchange) string {
	parts := []string{fmt.Sprint(f.Answer.Status)}
	if mediaType := f.Answer.MediaType(); knownMediaTypes[mediaType] {
		parts = append(parts, mediaType)
	}
	response, ok := wire.ParseResponse(f.Answer.Body, f.ID)
	switch {
	case f.Answer.Reason() != "":
		parts = append(parts, "reason "+f.Answer.Reason())
	case ok && response.Error == nil:
		parts = append(parts, "a JSON-RPC result")
	case ok:
		parts = append(parts, fmt.Sprintf("JSON-RPC error %d %q", response.Error.Code, c.secrets.clean(response.Error.Message)))
	}
	if !ok && (f.Outcome == probe.UnclearMessage || f.Outcome == probe.NoResult) {
		parts = append(parts, "no JSON-RPC answer to this request")
	}
	if f.Outcome == probe.MissingChallenge {
		parts = append(parts, seenChallenge(f.Answer.Header.Values("WWW-Authenticate")))
	}
	if f.Outcome == probe.InformationLeak {
		parts = append(parts, "with a stack trace, a file path or the token in it")
	}
	return strings.Join(parts, ", ")
}

// seenChallenge tells what is wrong with the challenges without repeating them.
func seenChallenge(values []string) string {
	switch len(values) {
	case 0:
		return "no WWW-Authenticate"
	case 1:
		return "a WWW-Authenticate of another form"
	default:
		return fmt.Sprintf("%d WWW-Authenticate", len(values))
	}
}

// knownMediaTypes are the ones worth telling apart; a header is the target's own text.
var knownMediaTypes = map[string]bool{
	"application/json": true, "text/event-stream": true, "text/html": true, "text/plain": true,
}

// describe words an outcome for which no response head, or no whole body, was there to describe.
func describe(o probe.Outcome) string {
	switch o {
	case probe.Reset:
		return "a connection reset"
	case probe.ClosedWithoutAnswer:
		return "the connection closed without an answer"
	case probe.Truncated:
		return "the connection closed in the middle of the answer"
	case probe.NotHTTP:
		return "bytes that are no HTTP answer"
	case probe.TLS:
		return "a TLS failure"
	case probe.Timeout:
		return "no complete answer in time"
	case probe.Refused:
		return "connection refused"
	case probe.NoRoute:
		return "no route to the target"
	case probe.ConnectTimeout:
		return "no answer to the connection attempt in time"
	default:
		return "nothing: the request could not be made"
	}
}
