package requestcheck

import (
	"net/http"
	"strings"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/deny"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

// single names the headers of which one request must not have two: whoever takes the first and whoever takes the last
// would see different requests. Authorization belongs to package bearer; net/http refuses a second Host over HTTP/1.1.
var single = []string{
	"Content-Type", "Mcp-Session-Id", "Origin", "Mcp-Method", "Mcp-Name", "Mcp-Protocol-Version", "Last-Event-Id", "Host",
}

// checkFields refuses headers that gate and server could read differently.
func checkFields(r *http.Request) *deny.Denial {
	for _, name := range single {
		if len(r.Header[name]) > 1 {
			return deny.AmbiguousHeader("more than one " + name + " header")
		}
	}
	for name, values := range r.Header {
		switch {
		case len(values) > 1 && strings.HasPrefix(name, "Mcp-"):
			return deny.AmbiguousHeader("more than one header of one Mcp name")
		case r.ProtoMajor >= 2 && !areTrimmed(values):
			return deny.AmbiguousHeader("a header begins or ends with a space")
		}
	}
	// Over HTTP/2 net/http lets a Host stand beside :authority (RFC 9113 section 8.3.1).
	if hosts := r.Header["Host"]; len(hosts) > 0 && hosts[0] != r.Host {
		return deny.AmbiguousHeader("the Host header is not the authority")
	}
	return checkConnection(r.Header["Connection"])
}

// areTrimmed reports whether no value begins or ends with white space. HTTP/2 forbids it (RFC 9113 section 8.2.1), but
// net/http hands such values over as they are, and HTTP/1.1 strips them on the way to the server: it would read another
// value than was judged.
func areTrimmed(values []string) bool {
	for _, value := range values {
		if n := len(value); n > 0 && (isBlank(value[0]) || isBlank(value[n-1])) {
			return false
		}
	}
	return true
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' }

// checkConnection refuses options that name what the gate judges by. An intermediary has to remove what an option names, and
// the server would get another request than was judged; to keep it nevertheless would be to read the client in two ways. No
// client has a reason: RFC 9110 section 7.6.1 forbids it to send them.
func checkConnection(values []string) *deny.Denial {
	for _, value := range values {
		if strings.EqualFold(value, "keep-alive") || strings.EqualFold(value, "close") {
			continue
		}
		for option := range strings.SplitSeq(value, ",") {
			var room [64]byte
			if gateapi.IsOfMessage(gateapi.AppendFoldedHeader(room[:0], strings.Trim(option, " \t"))) {
				return deny.AmbiguousHeader("the Connection header names a header of the message")
			}
		}
	}
	return nil
}
