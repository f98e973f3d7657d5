package request

import (
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/authz"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/authz/message"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/deny"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/telemetry/redact"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

// readMessages reads the body, if rules see into it, or the caller is restricted to what probes need: at the MCP endpoint only.
func (x *exchange) readMessages() *deny.Denial {
	config := x.snapshot.Config
	if !x.readsBody() || x.isExtraPath() {
		return nil
	}
	if x.request.Method != http.MethodPost {
		return x.requireNoBody()
	}
	if !isPlainJSON(x.request.Header) {
		return deny.UnsupportedMedia().WithDetail("%s", mediaDetail(x.request.Header))
	}
	data, whole, err := x.body.Prefetch(config.Limits.BodyBytes)
	switch {
	case err != nil:
		return deny.BodyError(err)
	case !whole:
		return deny.Body(gateapi.ReasonBodyTooLarge)
	}
	return x.parseMessages(data)
}

// parseMessages reads the messages. What they name may be as long as the body, and is charged likewise.
func (x *exchange) parseMessages(data []byte) *deny.Denial {
	if len(data) > keptBytes {
		if err := x.account.Reserve(int64(len(data))); err != nil {
			return deny.BodyError(err)
		}
		x.asked.reserved = int64(len(data))
	}
	document, err := message.Parse(data)
	if err != nil {
		return deny.BadMessage(err.Error())
	}
	for i := range document.Messages {
		// It is a part of the body, which must not be kept as long as a stream lives.
		document.Messages[i].ID = nil
	}
	x.asked.messages = document.Messages
	if len(document.Messages) > 0 {
		first := document.Messages[0]
		first.URIs = nil
		x.asked.first = &first
	}
	return authz.Agree(x.request.Header, document)
}

// readsBody reports whether anything is judged by what the body says.
func (x *exchange) readsBody() bool {
	return x.snapshot.Policy.JudgesBodies() || x.caller.principal.Reserved()
}

// requireNoBody refuses a body where MCP has none: a server that reads it all the same would get what nobody judged.
func (x *exchange) requireNoBody() *deny.Denial {
	if x.request.ContentLength == 0 {
		return nil
	}
	data, _, err := x.body.Prefetch(0)
	switch {
	case err != nil:
		return deny.BodyError(err)
	case len(data) > 0:
		return deny.BadMessage("a message must come in a POST")
	default:
		return nil
	}
}

// isPlainJSON wants what every server reads as JSON in UTF-8, byte for byte. Package requestcheck has refused a second Content-Type.
func isPlainJSON(header http.Header) bool {
	media, parameters, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil || media != "application/json" {
		return false
	}
	charset, named := parameters["charset"]
	delete(parameters, "charset")
	if len(parameters) > 0 || named && !strings.EqualFold(charset, "utf-8") {
		return false
	}
	encodings := header.Values("Content-Encoding")
	return len(encodings) == 0 || len(encodings) == 1 && strings.EqualFold(encodings[0], "identity")
}

// mediaDetail names the type and the coding of a body, where they are written as such.
func mediaDetail(header http.Header) string {
	media, parameters, _ := mime.ParseMediaType(header.Get("Content-Type"))
	out := "media type " + strconv.Quote(redact.Name(media))
	if charset, named := parameters["charset"]; named {
		out += ", charset " + strconv.Quote(redact.Name(charset))
	} else if len(parameters) > 0 {
		out += ", with parameters"
	}
	if codings := header.Values("Content-Encoding"); len(codings) > 0 {
		out += ", coding " + strconv.Quote(redact.Name(strings.Join(codings, ", ")))
	}
	return out
}

// keptBytes is how much of what was asked is remembered while an answer is open.
const keptBytes = 16 << 10

// dropLongMessages lets go of messages that are too long to be kept as long as an answer may be open. Other rules end it then.
func (x *exchange) dropLongMessages() {
	size := 0
	for _, m := range x.asked.messages {
		size += len(m.Method) + len(m.Name)
		for _, uri := range m.URIs {
			size += len(uri)
		}
	}
	if size > keptBytes {
		x.asked.messages, x.asked.dropped = nil, true
	}
	_ = x.account.Reserve(-x.asked.reserved) // To give back is never refused.
	x.asked.reserved = 0
}

// describe is what the first message asks, and what it is about, as far as that is known without judging: for the audit,
// which leaves out what must not be in it.
func (x *exchange) describe() (method, about string) {
	first := x.asked.first
	if first == nil {
		if x.request.Method != http.MethodPost {
			return "", ""
		}
		peeked := message.Peek(x.body.Head())
		first = &peeked
	}
	if first.Target != message.None {
		about = first.Name
	}
	return first.Method, about
}
