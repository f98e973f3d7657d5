package attack

import (
	"net/http"
	"strings"
	"testing"
)

// HTTP that is not as it should be: what net/http refuses by itself, and what it hands to the gate.
func TestFraming(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.try(t, s.refusedByGo())
	s.try(t, s.lengths())
	s.try(t, s.chunks())
	s.try(t, s.oldAndNew())
	s.try(t, s.upgrades())
	s.try(t, s.large())
}

func badRequest(what string) []answer {
	if what == "" {
		return one(golang(400, "400 Bad Request"))
	}
	return one(golang(400, "400 Bad Request: "+what))
}

// refusedByGo: no challenge and no JSON, but an answer, and none of ours gets to the server.
func (s *site) refusedByGo() []attack {
	token := "Authorization: Bearer " + s.mint()
	all := func(fields ...string) string {
		return joinLines(append(append([]string{"POST /mcp HTTP/1.1"}, fields...), "")...)
	}
	return []attack{
		{line: "H10", name: "no Host", raw: all(token, "Content-Length: 0"), answers: badRequest("missing required Host header")},
		{line: "H10", name: "two Hosts", raw: all("Host: "+host, "Host: evil.example", token), answers: badRequest("")},
		{line: "H10", name: "Host with a space", raw: all("Host: "+host+" evil.example", token), answers: badRequest("malformed Host header")},
		{line: "H10", name: "space before the colon", raw: all("Host: "+host, "Authorization : Bearer "+s.mint()), answers: badRequest("invalid header name")},
		{line: "H10", name: "space in a header's name", raw: all("Host: "+host, "X Y: z"), answers: badRequest("invalid header name")},
		{line: "H10", name: "line without a colon", raw: all("Host: "+host, "nonsense"), answers: badRequest("")},
		{line: "H10", name: "header without a name", raw: all("Host: "+host, ": x"), answers: badRequest("")},
		{line: "H10", name: "NUL in a header", raw: all("Host: "+host, "Authorization: Bearer a\x00b"), answers: badRequest("")},
		{line: "H10", name: "CR in the token", raw: all("Host: "+host, "Authorization: Bearer a\rb.c.d"), answers: badRequest("")},
		{line: "H10", name: "LF in the token", raw: all("Host: "+host, "Authorization: Bearer a\nb.c.d"), answers: badRequest("")},
		{line: "H10", name: "a header that begins with a space", raw: joinLines("POST /mcp HTTP/1.1", " Host: "+host, ""), answers: badRequest("")},
		{line: "H10", name: "garbage", raw: joinLines("\x01\x02\x03", ""), answers: badRequest("")},
		{line: "H10", name: "TLS", raw: "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + strings.Repeat("\x00", 32) + "\r\n\r\n", answers: badRequest("")},
		{line: "H10", name: "SSH", raw: "SSH-2.0-OpenSSH_9.9\r\n\r\n", answers: badRequest("")},
		{line: "H10", name: "no version", raw: joinLines("GET /mcp", "Host: "+host, ""), answers: badRequest("")},
		{line: "H10", name: "four words", raw: joinLines("GET /mcp /mcp HTTP/1.1", "Host: "+host, ""), answers: badRequest("")},
		{line: "H10", name: "version in lower case", raw: joinLines("GET /mcp http/1.1", "Host: "+host, ""), answers: badRequest("")},
		{line: "H10", name: "version 1.2", raw: joinLines("GET /mcp HTTP/1.2", "Host: "+host, ""), answers: one(unnamed("missing_token"))},
		{line: "H10", name: "version 3", raw: joinLines("GET /mcp HTTP/3.0", "Host: "+host, ""), answers: one(golang(505, "505 HTTP Version Not Supported: unsupported protocol version"))},
		{line: "H10", name: "no method", raw: joinLines(" /mcp HTTP/1.1", "Host: "+host, ""), answers: badRequest("")},
		{line: "H10", name: "method with a colon", raw: joinLines("GE:T /mcp HTTP/1.1", "Host: "+host, ""), answers: badRequest("")},
		{line: "H10", name: "no path", raw: joinLines("GET mcp HTTP/1.1", "Host: "+host, ""), answers: badRequest("")},
		{line: "H10", name: "broken escape", raw: joinLines("GET /%zz HTTP/1.1", "Host: "+host, ""), answers: badRequest("")},
		{line: "H10", name: "NUL in the path", raw: joinLines("GET /mcp\x00 HTTP/1.1", "Host: "+host, ""), answers: badRequest("")},
		{line: "H10", name: "unknown expectation", raw: post(s.mint(), ping, "Expect: miracles"), answers: one(golang(417, ""))},
	}
}

func (s *site) lengths() []attack {
	token, kind := "Authorization: Bearer "+s.mint(), "Content-Type: application/json"
	all := func(body string, fields ...string) string {
		return joinLines(append([]string{"POST /mcp HTTP/1.1", "Host: " + host, token, kind}, append(fields, "")...)...) + body
	}
	smuggled := joinLines("POST /mcp HTTP/1.1", "Host: "+host, "Content-Length: 0", "")
	return []attack{
		{line: "H10", name: "length in words", raw: all("", "Content-Length: forty"), answers: badRequest("")},
		{line: "H10", name: "negative length", raw: all("", "Content-Length: -1"), answers: badRequest("")},
		{line: "H10", name: "length with a sign", raw: all(ping, "Content-Length: +40"), answers: badRequest("")},
		{line: "H10", name: "length in hexadecimal", raw: all(ping, "Content-Length: 0x28"), answers: badRequest("")},
		{line: "H10", name: "length that overflows", raw: all("", "Content-Length: 99999999999999999999"), answers: badRequest("")},
		{line: "H10", name: "two lengths in one line", raw: all(ping, "Content-Length: 40, 41"), answers: badRequest("")},
		{line: "H10", name: "two lengths", raw: all(ping, "Content-Length: 40", "Content-Length: 41"), answers: badRequest("")},
		{line: "H10", name: "empty length", raw: all("", "Content-Length:"), answers: badRequest("")},
		{line: "H10", name: "the same length twice", raw: all(ping, "Content-Length: 40", "Content-Length: 40"), answers: one(serve())},
		{line: "H10", name: "unknown coding", raw: all("", "Transfer-Encoding: gzip"), answers: one(golang(501, unimplemented))},
		{line: "H10", name: "two codings", raw: all("", "Transfer-Encoding: gzip, chunked"), answers: one(golang(501, unimplemented))},
		{line: "H10", name: "chunked twice", raw: all("", "Transfer-Encoding: chunked", "Transfer-Encoding: chunked"), answers: one(golang(501, unimplemented))},
		{line: "H10", name: "nearly chunked", raw: all("", "Transfer-Encoding: xchunked"), answers: one(golang(501, unimplemented))},
		{line: "H10", name: "chunked in quotes", raw: all("", `Transfer-Encoding: "chunked"`), answers: one(golang(501, unimplemented))},
		{line: "H10", name: "chunked with a vertical tab", raw: all("", "Transfer-Encoding: \vchunked"), answers: badRequest("")},
		{line: "H10", name: "empty coding", raw: all("", "Transfer-Encoding:"), answers: one(golang(501, unimplemented))},
		// The length counts for nothing (RFC 9112 section 6.3); what it would have hidden is a request like any other.
		{line: "H10", name: "chunks and a length", raw: all("28\r\n"+ping+"\r\n0\r\n\r\n", "Content-Length: 4", "Transfer-Encoding: chunked"), answers: one(serve())},
		{line: "H10", name: "chunks and a length, in the other order", raw: all("28\r\n"+ping+"\r\n0\r\n\r\n", "Transfer-Encoding: chunked", "Content-Length: 4"), answers: one(serve())},
		{
			line: "H10", name: "a request behind chunks that a length would hide", raw: all("28\r\n"+ping+"\r\n0\r\n\r\n"+smuggled, "Content-Length: 500", "Transfer-Encoding: chunked"),
			answers: []answer{serve(), refuse("missing_token").withID("null")},
		},
		{line: "H10", name: "a request behind a GET without a length", raw: rawRequest("GET /mcp HTTP/1.1", "") + post("", ping), answers: []answer{unnamed("missing_token"), refuse("missing_token")}},
	}
}

const unimplemented = "Unsupported transfer encoding"

// chunks without a token: whatever the body is, the answer is that a token is needed.
func (s *site) chunks() []attack {
	chunked := func(body string, fields ...string) string {
		return joinLines(append([]string{"POST /mcp HTTP/1.1", "Host: " + host, "Transfer-Encoding: chunked"}, append(fields, "")...)...) + body
	}
	token := "Authorization: Bearer " + s.mint()
	return []attack{
		{line: "H10", name: "whole chunks", raw: chunked("28\r\n" + ping + "\r\n0\r\n\r\n"), answers: one(refuse("missing_token"))},
		{line: "H10", name: "one byte each", raw: chunked("1\r\n{\r\n1\r\n}\r\n0\r\n\r\n"), answers: one(unnamed("missing_token"))},
		{line: "H10", name: "size in words", raw: chunked("many\r\n" + ping), answers: one(unnamed("missing_token"))},
		{line: "H10", name: "negative size", raw: chunked("-1\r\n" + ping), answers: one(unnamed("missing_token"))},
		{line: "H10", name: "size that overflows", raw: chunked("ffffffffffffffffff\r\n" + ping), answers: one(unnamed("missing_token"))},
		{line: "H10", name: "size with 0x", raw: chunked("0x28\r\n" + ping + "\r\n0\r\n\r\n"), answers: one(unnamed("missing_token"))},
		{line: "H10", name: "chunk that goes on", raw: chunked("2\r\n{}{}\r\n0\r\n\r\n"), answers: one(unnamed("missing_token"))},
		{line: "H10", name: "a request behind a broken size", raw: chunked("zz\r\n" + post(s.mint(), ping)), answers: one(unnamed("missing_token"))},
		{line: "H10", name: "a request behind a broken size, with a bad token", raw: chunked("zz\r\n"+post(s.mint(), ping), "Authorization: Bearer x"), answers: one(unnamed("malformed_token"))},
		{line: "H10", name: "extension", raw: chunked("28;a=b\r\n" + ping + "\r\n0\r\n\r\n"), answers: one(refuse("missing_token"))},
		{line: "H10", name: "a token in the trailer", raw: chunked("28\r\n"+ping+"\r\n0\r\n"+token+"\r\n\r\n", "Trailer: Authorization"), answers: one(refuse("missing_token"))},
		{line: "H10", name: "a token in the trailer, not announced", raw: chunked("28\r\n" + ping + "\r\n0\r\n" + token + "\r\n\r\n"), answers: one(refuse("missing_token"))},
		{line: "H10", name: "trailer of a good request", raw: chunked("28\r\n"+ping+"\r\n0\r\nX-User: admin\r\n\r\n", token, "Trailer: X-User"), answers: one(serve()), seen: func(r *http.Request) string {
			return differs("trailer at the server", r.Trailer.Get("X-User")+r.Header.Get("Trailer")+r.Header.Get("X-User"), "")
		}},
	}
}

func (s *site) oldAndNew() []attack {
	token := "Authorization: Bearer " + s.mint()
	old := func(want answer) []answer {
		want.proto = "HTTP/1.0"
		return one(want)
	}
	bare := strings.ReplaceAll(post("", ping), "\r\n", "\n")
	return []attack{
		{line: "H10", name: "lines that end in LF only", raw: bare, answers: one(refuse("missing_token"))},
		{line: "H10", name: "lines that end in LF only, with a token", raw: strings.ReplaceAll(post(s.mint(), ping), "\r\n", "\n"), answers: one(serve())},
		{line: "H10", name: "1.0 without Host", raw: joinLines("GET /mcp HTTP/1.0", token, ""), answers: old(unnamed("wrong_host"))},
		{line: "H10", name: "1.0 with Host", raw: joinLines("GET /mcp HTTP/1.0", "Host: "+host, ""), answers: old(unnamed("missing_token"))},
		{line: "H10", name: "1.0 with a token", raw: joinLines("GET /mcp HTTP/1.0", "Host: "+host, token, ""), answers: old(serve())},
		{line: "H10", name: "empty line in front", raw: "\r\n" + post(s.mint(), ping), answers: badRequest("")},
		{line: "H10", name: "absolute form of ours", raw: rawRequest("POST http://"+host+"/mcp HTTP/1.1", ping), answers: one(refuse("missing_token"))},
		{line: "H10", name: "absolute form of ours, with a token", raw: rawRequest("POST http://"+host+"/mcp HTTP/1.1", ping, token), answers: one(serve())},
		{line: "H10", name: "absolute form of another", raw: rawRequest("POST http://evil.example/mcp HTTP/1.1", ping, token), answers: one(refuse("bad_target").saying(foreignTarget))},
		{line: "H10", name: "absolute form of another scheme", raw: rawRequest("POST ftp://"+host+"/mcp HTTP/1.1", ping, token), answers: one(refuse("bad_target").saying(foreignTarget))},
		{line: "H10", name: "absolute form of ours, Host of another", raw: joinLines("POST http://"+host+"/mcp HTTP/1.1", "Host: evil.example", token, "Content-Length: 0", ""), answers: one(serve())},
		{line: "H10", name: "path that begins with two slashes", raw: rawRequest("POST //evil.example/mcp HTTP/1.1", ping, token), answers: one(refuse("bad_target"))},
	}
}

const foreignTarget = "the target is a URL of another server: the gate is no proxy for others"

// upgrades: no other protocol goes through, asked for or announced.
func (s *site) upgrades() []attack {
	h2c := []string{"Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA"}
	socket := []string{"Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="}
	plain := func(r *http.Request) string {
		return differs("what the server sees", r.Header.Get("Upgrade")+r.Header.Get("Http2-Settings"), "")
	}
	return []attack{
		{line: "T20", name: "h2c without a token", raw: authorized(h2c...), answers: one(refuse("missing_token"))},
		{line: "T20", name: "h2c", raw: post(s.mint(), ping, h2c...), answers: one(serve()), seen: plain},
		{line: "T20", name: "HTTP/2 with prior knowledge", raw: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + strings.Repeat("\x00", 9), answers: one(unnamed("bad_target"))},
		{line: "T20", name: "websocket without a token", raw: rawRequest("GET /mcp HTTP/1.1", "", socket...), answers: one(unnamed("missing_token"))},
		{line: "T20", name: "websocket", raw: rawRequest("GET /mcp HTTP/1.1", "", append(socket, "Authorization: Bearer "+s.mint())...), answers: one(serve()), seen: plain},
	}
}

func (s *site) large() []attack {
	tooLarge := one(golang(431, "431 Request Header Fields Too Large"))
	many := strings.Repeat("X-Many: y\r\n", 4<<10)
	mib := func(n int) string { return strings.Repeat("x", n<<20) }
	return []attack{
		{line: "H7", name: "header of 40 KiB", raw: post(s.mint(), ping, "X-Large: "+strings.Repeat("x", 40<<10)), answers: tooLarge},
		{line: "H7", name: "token of 40 KiB", raw: post(strings.Repeat("x", 40<<10), ping), answers: tooLarge},
		{line: "H7", name: "4096 headers", raw: post(s.mint(), ping, strings.TrimSuffix(many, "\r\n")), answers: tooLarge},
		{line: "H5", name: "target of 40 KiB", raw: rawRequest("POST /mcp?"+strings.Repeat("x", 40<<10)+" HTTP/1.1", ping), answers: tooLarge},
		{line: "J3", name: "token of 2 MiB", raw: post(mib(2), ping), answers: tooLarge},
		{line: "T16", name: "8 MiB without a token", raw: post("", mib(8)), answers: one(unnamed("missing_token"))},
		{line: "T16", name: "8 MiB with a bad token", raw: post("x", mib(8)), answers: one(unnamed("malformed_token"))},
		{line: "T16", name: "8 MiB without a token, then another request", raw: post("", mib(8)) + post("", ping), answers: []answer{unnamed("missing_token"), refuse("missing_token")}},
		{line: "T17", name: "8 MiB with a good token", raw: post(s.mint(), mib(8)), answers: one(unnamed("body_too_large"))},
		{line: "T17", name: "a byte more than the limit", raw: post(s.mint(), mib(4)+"x"), answers: one(unnamed("body_too_large"))},
		{line: "T17", name: "just the limit", raw: post(s.mint(), mib(4)), answers: one(serve())},
		{line: "T16", name: "a client that waits for 100 Continue", raw: joinLines("POST /mcp HTTP/1.1", "Host: "+host, "Expect: 100-continue", "Content-Length: 4000000", ""), answers: one(unnamed("missing_token"))},
	}
}
