package gateapi

import "bytes"

// FoldHeader gives the spelling in which servers may confuse a header with others: CGI and WSGI make one variable of
// X-User and X_User, some of X.User, too. Two names with the same fold are the same to them.
func FoldHeader(name string) string { return string(AppendFoldedHeader(nil, name)) }

// AppendFoldedHeader is FoldHeader for who has the room.
func AppendFoldedHeader(room []byte, name string) []byte {
	for _, c := range []byte(name) {
		switch {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9':
			room = append(room, c)
		case 'A' <= c && c <= 'Z':
			room = append(room, c-'A'+'a')
		default:
			room = append(room, '-')
		}
	}
	return room
}

// IsProtectedHeader tells whether the gate, the transport, or the server decides by a header of this name, in whatever
// spelling. No claim may take its place, and of several spellings only the proper one is passed on.
func IsProtectedHeader(name string) bool { return IsProtectedFold(AppendFoldedHeader(nil, name)) }

// IsProtectedFold is IsProtectedHeader for a name that is folded.
func IsProtectedFold(fold []byte) bool { return protectedHeaders[string(fold)] }

// IsOfMessage reports whether the gate judges by a header, or passes it on under its own guard, so that no option of a
// Connection header may take it away (RFC 9110 section 7.6.1: a sender must not name there what is meant for all recipients
// of the content). Not so what the gate removes anyway, or says anew in its own words. fold is the folded name.
func IsOfMessage(fold []byte) bool {
	return judgedHeaders[string(fold)] || bytes.HasPrefix(fold, []byte("mcp-"))
}

// IsTwin reports whether a name is a second spelling of a header that is protected, such as Mcp_Session_Id. It does not
// allocate.
func IsTwin(name string) bool {
	if isHyphenated(name) {
		return false
	}
	var room [64]byte
	return IsProtectedFold(AppendFoldedHeader(room[:0], name))
}

// isHyphenated reports whether a name has no characters but those that folding keeps.
func isHyphenated(name string) bool {
	for i := range len(name) {
		if c := name[i]; c != '-' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return true
}

// protectedHeaders are those of IsProtectedHeader.
var protectedHeaders = map[string]bool{
	"accept": true, "authorization": true, "connection": true, "content-encoding": true, "content-length": true,
	"content-type": true, "cookie": true, "expect": true, "forwarded": true, "host": true, "keep-alive": true,
	"last-event-id": true, "mcp-method": true, "mcp-name": true, "mcp-protocol-version": true, "mcp-session-id": true,
	"origin": true, "proxy-authorization": true, "proxy-connection": true, "te": true, "trailer": true,
	"transfer-encoding": true, "upgrade": true, "x-forwarded-for": true, "x-forwarded-host": true,
	"x-forwarded-proto": true,
}

// judgedHeaders are those of IsOfMessage beside MCP's own.
var judgedHeaders = map[string]bool{
	"accept": true, "content-encoding": true, "content-length": true, "content-type": true, "host": true,
	"last-event-id": true, "x-request-id": true,
}
