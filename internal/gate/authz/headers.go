package authz

import (
	"encoding/base64"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/authz/message"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/deny"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/telemetry/redact"
)

// Headers in which clients repeat what their message says (MCP 2026-07-28 transports, "Request Metadata").
const (
	methodHeader = "Mcp-Method"
	nameHeader   = "Mcp-Name"
)

// Agree wants Mcp-Method and Mcp-Name, where they are present and in every revision of MCP, to say what the body says:
// a server may act on either, and only the body is judged. One header cannot speak for a batch, not even an empty one.
func Agree(header http.Header, document message.Document) *deny.Denial {
	for _, name := range []string{methodHeader, nameHeader} {
		values := header.Values(name)
		if len(values) == 0 {
			continue
		}
		if len(values) > 1 {
			return deny.AmbiguousHeader("more than one " + name + " header")
		}
		if document.Batch || len(document.Messages) != 1 {
			return deny.HeaderMismatch(name).WithDetail("%s for a batch", name)
		}
		said := document.Messages[0].Method
		if name == nameHeader {
			said = document.Messages[0].Name
		}
		if value, ok := decode(values[0]); !ok || value != said {
			return deny.HeaderMismatch(name).WithDetail("%s %q, in the body %q", name, redact.Name(value), redact.Name(said))
		}
	}
	return nil
}

// decode undoes how clients wrap what no header may carry: "=?base64?...?=" ("Value Encoding").
func decode(value string) (string, bool) {
	inner, begins := strings.CutPrefix(value, "=?base64?")
	inner, ends := strings.CutSuffix(inner, "?=")
	if !begins || !ends {
		return value, true
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(inner)
	return string(raw), err == nil && utf8.Valid(raw)
}
