package authproxy

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

var protectedHeaders = map[string]bool{
	"accept": true, "authorization": true, "connection": true, "content-encoding": true, "content-length": true,
	"content-type": true, "cookie": true, "expect": true, "forwarded": true, "host": true, "keep-alive": true,
	"last-event-id": true, "mcp-method": true, "mcp-name": true, "mcp-protocol-version": true, "mcp-session-id": true,
	"origin": true, "proxy-authorization": true, "proxy-connection": true, "te": true, "trailer": true,
	"transfer-encoding": true, "upgrade": true, "x-forwarded-for": true, "x-forwarded-host": true,
	"x-forwarded-proto": true,
}
