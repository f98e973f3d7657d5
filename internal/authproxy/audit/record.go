package audit

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Record is one decision of the gate, and what came of it. It has no place for a token, a key, a path or a query.
type Record struct {
	Time    time.Time
	Outcome string // who answered; "opened" for a stream that begins and gets another line at its end
	Reason  string // why, if it was the gate
	Status  int    // 0: the client got no answer
	// Provider is whose token it was, and Subject the keyed hash of who it speaks for; empty where no token was good.
	Provider, Subject string
	// Source is the address that the request came from.
	Source string
	// HTTPMethod is one of RFC 9110's, or "other".
	HTTPMethod string
	// Method and Name are those of the MCP message, if it was read: "tools/call" and the tool.
	Method, Name string
	// RequestID is the client's, ServerRequestID the one that the server was sent; empty if it was sent nothing.
	RequestID, ServerRequestID string
	// BytesIn and BytesOut are lengths of bodies, as far as they were read and written.
	BytesIn, BytesOut int64
	Took              time.Duration
}

// What is said is cut at these lengths.
const (
	maxMethodBytes = 64
	maxNameBytes   = 128
	maxTextBytes   = 256
	maxMadeBytes   = 32 // of an id that we made
)

// maxLineBytes bounds a line: each byte that a client chose may become six.
const maxLineBytes = 4 << 10

// append writes the record as one line of JSON. server is a JSON string already.
func (r *Record) append(b []byte, server string) []byte {
	b = append(b, `{"time":"`...)
	b = r.Time.UTC().AppendFormat(b, "2006-01-02T15:04:05.000000Z")
	b = append(b, `","server":`...)
	b = append(b, server...)
	b = appendMember(b, "outcome", r.Outcome, maxTextBytes)
	b = appendMember(b, "reason", r.Reason, maxTextBytes)
	b = appendNumber(b, "status", int64(r.Status))
	b = appendMember(b, "provider", r.Provider, maxTextBytes)
	b = appendMember(b, "subject", r.Subject, maxTextBytes)
	b = appendMember(b, "source", r.Source, maxTextBytes)
	b = appendMember(b, "httpMethod", httpMethod(r.HTTPMethod), maxTextBytes)
	b = appendMember(b, "method", r.Method, maxMethodBytes)
	// The name may be the URI of a resource, whose query is nobody's business.
	name, _, _ := strings.Cut(r.Name, "?")
	b = appendMember(b, "name", name, maxNameBytes)
	b = appendMember(b, "requestID", r.RequestID, maxTextBytes)
	b = appendMember(b, "serverRequestID", r.ServerRequestID, maxMadeBytes)
	b = appendNumber(b, "bytesIn", r.BytesIn)
	b = appendNumber(b, "bytesOut", r.BytesOut)
	b = append(b, `,"seconds":`...)
	b = strconv.AppendFloat(b, r.Took.Seconds(), 'f', 6, 64)
	return append(b, '}', '\n')
}

func httpMethod(name string) string {
	switch name {
	case "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "CONNECT", "OPTIONS", "TRACE":
		return name
	default:
		return "other"
	}
}

func appendNumber(b []byte, name string, value int64) []byte {
	b = append(b, ',', '"')
	b = append(b, name...)
	b = append(b, '"', ':')
	return strconv.AppendInt(b, value, 10)
}

func appendMember(b []byte, name, value string, longest int) []byte {
	b = append(b, ',', '"')
	b = append(b, name...)
	b = append(b, '"', ':')
	return appendString(b, value, longest)
}

const hexadecimal = "0123456789abcdef"

// appendString writes a JSON string in plain ASCII: what could move a terminal's cursor, or turn its text around, is
// escaped. Cutting may halve a character, which then shows as U+FFFD.
func appendString(b []byte, text string, longest int) []byte {
	text = text[:min(len(text), longest)]
	b = append(b, '"')
	for _, c := range text {
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', byte(c))
		case c >= 0x20 && c < 0x7f:
			b = append(b, byte(c))
		case c <= 0xffff:
			b = appendEscape(b, c)
		default: // JSON escapes are of UTF-16 (RFC 8259 section 7).
			const surrogates, half = 0xd800, 0xdc00
			c -= 0x10000
			b = appendEscape(appendEscape(b, surrogates+c>>10), half+c&0x3ff)
		}
	}
	return append(b, '"')
}

func appendEscape(b []byte, c rune) []byte {
	return append(b, '\\', 'u', hexadecimal[c>>12&0xf], hexadecimal[c>>8&0xf], hexadecimal[c>>4&0xf], hexadecimal[c&0xf])
}

// isPlain tells whether the text is visible ASCII of 1 to longest bytes.
func isPlain(text string, longest int) bool {
	return text != "" && len(text) <= longest && !strings.ContainsFunc(text, func(c rune) bool {
		return c <= 0x20 || c >= 0x7f || c == utf8.RuneError
	})
}
