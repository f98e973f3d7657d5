package audit

import (
	"net/netip"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/telemetry/redact"
)

// Record is one decision of the gate, and what came of it. It has no place for a token, a key or a query.
type Record struct {
	Time    time.Time
	Outcome string // who answered; "opened" for a stream that begins and gets another line at its end
	Reason  string // why, if it was the gate
	// Detail says what was compared, where the gate refused: fit to be read by anybody, as package redact makes it.
	Detail string
	Status int // 0: the client got no answer
	// Provider is whose token it was, and Subject the keyed hash of who it speaks for; empty where no token was good.
	Provider, Subject string
	// Source is the address that the request came from.
	Source string
	// HTTPMethod is one of RFC 9110's, or "other".
	HTTPMethod string
	// Method and Name are those of the MCP message, if it was read: "tools/call" and the tool. They are as the client wrote
	// them; a line has of them what redact.Name gives.
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
	maxDetailBytes = 256
	maxTextBytes   = 256
	maxMadeBytes   = 32 // of an id that we made
	maxReasonBytes = 32 // in a Summary
)

// OutcomeSuppressed is that of a line which sums up what was left out.
const OutcomeSuppressed = "suppressed"

// maxLineBytes bounds a line: each byte that a client chose may become six.
const maxLineBytes = 4 << 10

// append writes the record as one line of JSON. server is a JSON string already.
func (r *Record) append(b []byte, server string) []byte {
	b = appendStart(b, r.Time, server)
	b = appendMember(b, "outcome", r.Outcome, maxTextBytes)
	b = appendMember(b, "reason", r.Reason, maxTextBytes)
	b = appendMember(b, "detail", r.Detail, maxDetailBytes)
	b = appendNumber(b, "status", int64(r.Status))
	b = appendMember(b, "provider", r.Provider, maxTextBytes)
	b = appendMember(b, "subject", r.Subject, maxTextBytes)
	b = appendMember(b, "source", r.Source, maxTextBytes)
	b = appendMember(b, "httpMethod", httpMethod(r.HTTPMethod), maxTextBytes)
	b = appendMember(b, "method", redact.Name(r.Method), maxMethodBytes)
	b = appendMember(b, "name", redact.Name(r.Name), maxNameBytes)
	b = appendMember(b, "requestID", r.RequestID, maxTextBytes)
	b = appendMember(b, "serverRequestID", r.ServerRequestID, maxMadeBytes)
	b = appendNumber(b, "bytesIn", r.BytesIn)
	b = appendNumber(b, "bytesOut", r.BytesOut)
	b = append(b, `,"seconds":`...)
	b = strconv.AppendFloat(b, r.Took.Seconds(), 'f', 6, 64)
	return append(b, '}', '\n')
}

// append writes the summary as one line of JSON.
func (s *Summary) append(b []byte, server string) []byte {
	b = appendStart(b, s.Time, server)
	b = appendMember(b, "outcome", OutcomeSuppressed, maxTextBytes)
	b = appendMember(b, "source", sourceName(s.Source), maxTextBytes)
	b = append(b, `,"since":"`...)
	b = appendTime(b, s.Since)
	b = append(b, '"')
	var all int64
	for _, c := range s.LeftOut {
		all += c.Count
	}
	b = appendNumber(b, "count", all)
	b = append(b, `,"reasons":{`...)
	for i, c := range s.LeftOut {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, c.Reason, maxReasonBytes)
		b = append(b, ':')
		b = strconv.AppendInt(b, c.Count, 10)
	}
	return append(b, '}', '}', '\n')
}

// sourceName is an address alone where the source is no subnet.
func sourceName(source netip.Prefix) string {
	switch {
	case !source.IsValid():
		return ""
	case source.IsSingleIP():
		return source.Addr().String()
	default:
		return source.String()
	}
}

// appendTime writes 2006-01-02T15:04:05.000000Z. Package time has a quick way for RFC 3339 without a fraction, and a slow
// one for layouts.
func appendTime(b []byte, at time.Time) []byte {
	at = at.UTC()
	b = at.AppendFormat(b, time.RFC3339)
	b[len(b)-1] = '.' // in place of Z
	for unit := 100 * time.Millisecond; unit >= time.Microsecond; unit /= 10 {
		b = append(b, hexadecimal[time.Duration(at.Nanosecond())/unit%10])
	}
	return append(b, 'Z')
}

// appendStart begins a line. server is a JSON string already.
func appendStart(b []byte, at time.Time, server string) []byte {
	b = append(b, `{"time":"`...)
	b = appendTime(b, at)
	b = append(b, `","server":`...)
	return append(b, server...)
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
	plain := plainPrefix(text) // Nearly always all of it.
	b = append(b, text[:plain]...)
	for _, c := range text[plain:] {
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

// plainPrefix returns how many bytes at the beginning need no escape.
func plainPrefix(text string) int {
	for i := range len(text) {
		if c := text[i]; c < 0x20 || c >= 0x7f || c == '"' || c == '\\' {
			return i
		}
	}
	return len(text)
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
