package authproxy

import "strings"

// FoldHeader gives the spelling in which servers may confuse a header with others: CGI and WSGI make one variable of
// X-User and X_User, some of X.User, too. Two names with the same fold are the same to them.
func FoldHeader(name string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9':
			return c
		case 'A' <= c && c <= 'Z':
			return c - 'A' + 'a'
		default:
			return '-'
		}
	}, name)
}

// IsProtectedHeader tells whether the gate, the transport, or the server decides by a header of this name, in whatever
// spelling. No claim may take its place, and of several spellings only the proper one is passed on.
func IsProtectedHeader(name string) bool { return protectedHeaders[FoldHeader(name)] }

var protectedHeaders = map[string]bool{
	"accept": true, "authorization": true, "connection": true, "content-encoding": true, "content-length": true,
	"content-type": true, "cookie": true, "expect": true, "forwarded": true, "host": true, "keep-alive": true,
	"last-event-id": true, "mcp-method": true, "mcp-name": true, "mcp-protocol-version": true, "mcp-session-id": true,
	"origin": true, "proxy-authorization": true, "proxy-connection": true, "te": true, "trailer": true,
	"transfer-encoding": true, "upgrade": true, "x-forwarded-for": true, "x-forwarded-host": true,
	"x-forwarded-proto": true,
}
