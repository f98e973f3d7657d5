package gate

import (
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/mcp-gatehouse/gatehouse/internal/authproxy"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/authorize"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/deny"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/message"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/redact"
)

// authorize judges what the caller may do. Where rules want it, the messages are read from the very bytes that are then
// forwarded.
func (v *visit) authorize() *deny.Denial {
	if denial := v.readMessages(); denial != nil {
		return denial
	}
	if denial := v.judgeRights(v.snapshot, v.principal, v.messages); denial != nil {
		return denial
	}
	if v.isStrayResponse() {
		return deny.Rights().Because("a response outside of a session")
	}
	return nil
}

// readMessages reads the body, if rules see into it, or the caller is fenced: at the MCP endpoint only.
func (v *visit) readMessages() *deny.Denial {
	config := v.snapshot.Config
	if !v.readsBody() || v.isExtraPath() {
		return nil
	}
	if v.request.Method != http.MethodPost {
		return v.emptiness()
	}
	if !isPlainJSON(v.request.Header) {
		return deny.Media().Because("%s", mediaDetail(v.request.Header))
	}
	data, whole, err := v.body.Prefetch(config.Limits.BodyBytes)
	switch {
	case err != nil:
		return deny.Unread(err)
	case !whole:
		return deny.Body(deny.BodyTooLarge)
	}
	return v.parse(data)
}

// parse reads the messages. What they name may be as long as the body, and is charged likewise.
func (v *visit) parse(data []byte) *deny.Denial {
	if len(data) > keptBytes {
		if err := v.account.Reserve(int64(len(data))); err != nil {
			return deny.Unread(err)
		}
		v.messageBytes = int64(len(data))
	}
	document, err := message.Parse(data)
	if err != nil {
		return deny.Message(err.Error())
	}
	for i := range document.Messages {
		// It is a part of the body, which must not be kept as long as a stream lives.
		document.Messages[i].ID = nil
	}
	v.messages = document.Messages
	if len(document.Messages) > 0 {
		first := document.Messages[0]
		first.URIs = nil
		v.message = &first
	}
	return authorize.Agree(v.request.Header, document)
}

// readsBody tells whether anything is judged by what the body says.
func (v *visit) readsBody() bool { return v.snapshot.Policy.JudgesBodies() || v.principal.Reserved() }

// emptiness refuses a body where MCP has none: a server that reads it all the same would get what nobody judged.
func (v *visit) emptiness() *deny.Denial {
	if v.request.ContentLength == 0 {
		return nil
	}
	data, _, err := v.body.Prefetch(0)
	switch {
	case err != nil:
		return deny.Unread(err)
	case len(data) > 0:
		return deny.Message("a message must come in a POST")
	default:
		return nil
	}
}

// isPlainJSON wants what every server reads as JSON in UTF-8, byte for byte. Surface has refused a second Content-Type.
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

// isStrayResponse tells an answer to the server outside of a session that is bound to its caller: it could answer what
// was asked of somebody else. A session header that got this far belongs to the caller.
func (v *visit) isStrayResponse() bool {
	return v.snapshot.Config.SessionBinding == authproxy.SessionBindingCaller &&
		v.request.Header.Get("Mcp-Session-Id") == "" &&
		slices.ContainsFunc(v.messages, func(m message.Message) bool { return m.Kind == message.Response })
}

// asked is what the first message asks, and what it is about, as far as that is known without judging: for the audit,
// which leaves out what must not be in it.
func (v *visit) asked() (method, about string) {
	first := v.message
	if first == nil {
		if v.request.Method != http.MethodPost {
			return "", ""
		}
		peeked := message.Peek(v.body.Head())
		first = &peeked
	}
	if first.Target != message.None {
		about = first.Name
	}
	return first.Method, about
}
