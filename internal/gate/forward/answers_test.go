package forward_test

import (
	"io"
	"strings"
	"time"
)

// Heads that scenes have in common.
const (
	ok      = "HTTP/1.1 200 OK\r\n"
	chunked = ok + "Transfer-Encoding: chunked\r\n"
	events  = chunked + "Content-Type: text/event-stream\r\n"
)

var gets = []string{request("GET", "", "Accept: text/event-stream", "Connection: close")}

// framing: where an answer ends, and what comes behind it.
var framing = []scene{
	{name: "counted", server: says(ok + "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")},
	{name: "counted, without a type", server: says(ok + "Content-Length: 15\r\n\r\n<html>no</html>")},
	{name: "counted, empty", server: says(ok + "Content-Length: 0\r\n\r\n")},
	{name: "counted, large", server: says(ok + "Content-Length: 1000000\r\n\r\n" + strings.Repeat("0123456789", 100000))},
	{name: "counted, close", server: saysAndCloses(ok + "Content-Length: 2\r\nConnection: close\r\n\r\n{}")},
	{name: "counted, closed without a word", server: saysAndCloses(ok + "Content-Length: 2\r\n\r\n{}")},
	{name: "counted twice alike", server: says(ok + "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}")},
	{name: "counted twice", server: says(ok + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}{")},
	{name: "counted in a list", server: says(ok + "Content-Length: 2, 2\r\n\r\n{}")},
	{name: "counted below zero", server: says(ok + "Content-Length: -2\r\n\r\n{}")},
	{name: "counted with a plus", server: says(ok + "Content-Length: +2\r\n\r\n{}")},
	{name: "counted in hex", server: says(ok + "Content-Length: 0x2\r\n\r\n{}")},
	{name: "counted beyond numbers", server: says(ok + "Content-Length: 99999999999999999999\r\n\r\n{}")},
	{name: "more than counted", server: says(ok + "Content-Length: 2\r\n\r\n{}POISON")},
	{name: "another answer behind", server: says(ok + "Content-Length: 2\r\n\r\n{}" + ok + "Content-Length: 6\r\n\r\nPOISON")},
	{name: "another answer behind, later", server: sayTwice(
		ok+"Content-Length: 2\r\n\r\n{}", ok+"Content-Length: 6\r\n\r\nPOISON")},
	{name: "a line behind", server: says(ok + "Content-Length: 2\r\n\r\n{}\r\n")},
	{name: "chunked", server: says(chunked + "\r\n2\r\n{}\r\n0\r\n\r\n")},
	{name: "chunked, many", server: says(chunked + "\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n")},
	{name: "chunked, large", server: says(chunked + "\r\n186a0\r\n" + strings.Repeat("0123456789", 10000) + "\r\n0\r\n\r\n")},
	{name: "chunked, empty", server: says(chunked + "\r\n0\r\n\r\n")},
	{name: "chunked in capitals", server: says(ok + "TRANSFER-ENCODING: CHUNKED\r\n\r\n2\r\n{}\r\n0\r\n\r\n")},
	{name: "chunked, with extensions", server: says(chunked + "\r\n2;a=b;c=\"d\"\r\n{}\r\n0;e\r\n\r\n")},
	{name: "chunked, close", server: saysAndCloses(chunked + "Connection: close\r\n\r\n2\r\n{}\r\n0\r\n\r\n")},
	{name: "more than chunked", server: says(chunked + "\r\n2\r\n{}\r\n0\r\n\r\nPOISON")},
	{name: "chunked, trailers announced", server: says(chunked + "Trailer: X-Late, Gatehouse-Reason\r\n\r\n" +
		"2\r\n{}\r\n0\r\nX-Late: yes\r\nX-Other: no\r\nGatehouse-Reason: forged\r\n\r\n")},
	{name: "chunked, trailers that belong in front", server: says(chunked + "Trailer: X-Late, Mcp-Session-Id, mcp_session_id, Location, Set-Cookie\r\nTrailer: WWW-Authenticate, Access-Control-Allow-Origin\r\n\r\n" +
		"2\r\n{}\r\n0\r\nX-Late: yes\r\nMcp-Session-Id: raw\r\nmcp_session_id: raw\r\nLocation: http://127.0.0.1/\r\nSet-Cookie: a=b\r\nWWW-Authenticate: Bearer\r\nAccess-Control-Allow-Origin: *\r\n\r\n")},
	{name: "chunked, trailers not announced", server: says(chunked + "\r\n2\r\n{}\r\n0\r\nX-Late: yes\r\n\r\n")},
	{name: "chunked, trailers announced and not sent", server: says(chunked + "Trailer: X-Late\r\n\r\n2\r\n{}\r\n0\r\n\r\n")},
	{name: "chunked, trailers that frame", server: says(chunked + "Trailer: Content-Length\r\n\r\n2\r\n{}\r\n0\r\nContent-Length: 2\r\n\r\n")},
	{name: "chunked, trailers to an old client", client: []string{"POST /mcp HTTP/1.0\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}"},
		server: says(chunked + "Trailer: X-Late\r\n\r\n2\r\n{}\r\n0\r\nX-Late: yes\r\n\r\n")},
	{name: "counted, trailers announced", server: says(ok + "Content-Length: 2\r\nTrailer: X-Late\r\n\r\n{}")},
	{name: "chunked and counted", server: says(chunked + "Content-Length: 7\r\n\r\n2\r\n{}\r\n0\r\n\r\n")},
	{name: "chunked, a size that is none", server: says(chunked + "\r\nzz\r\n{}\r\n0\r\n\r\n")},
	{name: "chunked, second size that is none", server: says(chunked + "\r\n2\r\n{}\r\nzz\r\n\r\n")},
	{name: "chunked, a size beyond numbers", server: says(chunked + "\r\nfffffffffffffffff\r\n{}\r\n0\r\n\r\n")},
	{name: "chunked, a size below zero", server: says(chunked + "\r\n-2\r\n{}\r\n0\r\n\r\n")},
	{name: "chunked, longer than its size", server: says(chunked + "\r\n2\r\n{}{}\r\n0\r\n\r\n")},
	{name: "chunked, endless extension", server: says(chunked + "\r\n2;" + strings.Repeat("x", 100000) + "\r\n{}\r\n0\r\n\r\n")},
	{name: "an unknown coding", server: saysAndCloses(ok + "Transfer-Encoding: gzip\r\n\r\n{}")},
	{name: "two codings", server: saysAndCloses(ok + "Transfer-Encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n")},
	{name: "two coding headers", server: saysAndCloses(chunked + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n")},
	{name: "identity", server: saysAndCloses(ok + "Transfer-Encoding: identity\r\n\r\n{}")},
	{name: "until the end", server: saysAndCloses(ok + "\r\n{}")},
	{name: "until the end, empty", server: saysAndCloses(ok + "\r\n")},
	{name: "until the end, to an old client", client: []string{"POST /mcp HTTP/1.0\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}"},
		server: saysAndCloses(ok + "\r\n{}")},
	{name: "old server, counted", server: saysAndCloses("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}")},
	{name: "old server, kept alive", server: says("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\n{}")},
	{name: "old server, until the end", server: saysAndCloses("HTTP/1.0 200 OK\r\n\r\n{}")},
	{name: "old server, chunked", server: saysAndCloses("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n")},
	{name: "HTTP/2 in the status line", server: saysAndCloses("HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\n{}")},
	{name: "HTTP/1.9", server: says("HTTP/1.9 200 OK\r\nContent-Length: 2\r\n\r\n{}")},
	{name: "202", server: says("HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")},
	{name: "202 without a length", server: saysAndCloses("HTTP/1.1 202 Accepted\r\n\r\n")},
	{name: "204", server: says("HTTP/1.1 204 No Content\r\n\r\n")},
	{name: "204 with a body", server: says("HTTP/1.1 204 No Content\r\nContent-Length: 6\r\n\r\nPOISON")},
	{name: "304", server: says("HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\n\r\n")},
	{name: "304 with a length", server: says("HTTP/1.1 304 Not Modified\r\nContent-Length: 6\r\n\r\n")},
	{name: "304 with a body", server: says("HTTP/1.1 304 Not Modified\r\nContent-Length: 6\r\n\r\nPOISON")},
	{name: "HEAD", client: []string{request("HEAD", "", "Connection: close")}, server: says(ok + "Content-Length: 6\r\n\r\n")},
	{name: "HEAD, chunked", client: []string{request("HEAD", "", "Connection: close")}, server: says(chunked + "\r\n")},
	{name: "HEAD with a body", client: []string{request("HEAD", "", "Connection: close")},
		server: says(ok + "Content-Length: 6\r\n\r\nPOISON")},
	{name: "GET", client: gets, server: says("HTTP/1.1 405 Method Not Allowed\r\nAllow: POST\r\nContent-Length: 0\r\n\r\n")},
	{name: "DELETE", client: []string{request("DELETE", "", "Mcp-Session-Id: s", "Connection: close")}, server: says(ok + "Content-Length: 0\r\n\r\n")},
}

// heads: status lines and headers of answers, interim ones included.
var heads = []scene{
	{name: "100 before", server: says("HTTP/1.1 100 Continue\r\n\r\n" + ok + "Content-Length: 2\r\n\r\n{}")},
	{name: "102 before", server: says("HTTP/1.1 102 Processing\r\n\r\n" + ok + "Content-Length: 2\r\n\r\n{}")},
	{name: "103 before", server: says("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nGatehouse-Reason: forged\r\n\r\n" + ok + "Content-Length: 2\r\n\r\n{}")},
	{name: "199 before", server: says("HTTP/1.1 199 Soon\r\n\r\n" + ok + "Content-Length: 2\r\n\r\n{}")},
	{name: "5 before", server: says(strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 5) + ok + "Content-Length: 2\r\n\r\n{}")},
	{name: "6 before", server: says(strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 6) + ok + "Content-Length: 2\r\n\r\n{}")},
	{name: "16 KiB before", server: says(strings.Repeat("HTTP/1.1 103 Early Hints\r\nA: "+strings.Repeat("x", 6<<10)+"\r\n\r\n", 3) + ok + "Content-Length: 2\r\n\r\n{}")},
	{name: "100 and nothing more", server: saysAndCloses("HTTP/1.1 100 Continue\r\n\r\n")},
	{name: "101", server: says("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n")},
	{name: "101 without a protocol", server: says("HTTP/1.1 101 Switching Protocols\r\n\r\n")},
	{name: "101 for one who asked", client: []string{request("GET", "", "Connection: upgrade, close", "Upgrade: websocket")},
		server: says("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nframes")},
	{name: "status 099", server: says("HTTP/1.1 099 Low\r\nContent-Length: 2\r\n\r\n{}")},
	{name: "status 000", server: says("HTTP/1.1 000 None\r\nContent-Length: 2\r\n\r\n{}")},
	{name: "status 999", server: says("HTTP/1.1 999 High\r\nContent-Length: 2\r\n\r\n{}")},
	{name: "status 20", server: says("HTTP/1.1 20 Short\r\nContent-Length: 2\r\n\r\n{}")},
	{name: "status -20", server: says("HTTP/1.1 -20 Below\r\nContent-Length: 2\r\n\r\n{}")},
	{name: "status 2000", server: says("HTTP/1.1 2000 Long\r\nContent-Length: 2\r\n\r\n{}")},
	{name: "status of letters", server: says("HTTP/1.1 abc OK\r\nContent-Length: 2\r\n\r\n{}")},
	{name: "no status text", server: says("HTTP/1.1 200\r\nContent-Length: 2\r\n\r\n{}")},
	{name: "another status text", server: says("HTTP/1.1 200 Fine by me\r\nContent-Length: 2\r\n\r\n{}")},
	{name: "lines end in LF", server: says("HTTP/1.1 200 OK\nContent-Length: 2\nA: b\n\n{}")},
	{name: "a folded header", server: says(ok + "A: b\r\n c\r\nContent-Length: 2\r\n\r\n{}")},
	{name: "a folded header at first", server: says(ok + " c\r\nContent-Length: 2\r\n\r\n{}")},
	{name: "a bare CR in a header", server: says(ok + "A: b\rC: d\r\nContent-Length: 2\r\n\r\n{}")},
	{name: "NUL in a header", server: says(ok + "A: b\x00c\r\nContent-Length: 2\r\n\r\n{}")},
	{name: "NUL in a header's name", server: says(ok + "A\x00: b\r\nContent-Length: 2\r\n\r\n{}")},
	{name: "a space before the colon", server: says(ok + "Content-Length : 2\r\n\r\n{}")},
	{name: "a header without a colon", server: says(ok + "Nonsense\r\nContent-Length: 2\r\n\r\n{}")},
	{name: "a header without a name", server: says(ok + ": b\r\nContent-Length: 2\r\n\r\n{}")},
	{name: "a header without a value", server: says(ok + "A:\r\nContent-Length: 2\r\n\r\n{}")},
	{name: "a header in Latin-1", server: says(ok + "A: caf\xe9\r\nContent-Length: 2\r\n\r\n{}")},
	{name: "a header twice", server: says(ok + "A: 1\r\na: 2\r\nContent-Length: 2\r\n\r\n{}")},
	{name: "odd spelling", server: says(ok + "mCP-sESSION-iD: aBc\r\nx_y: 1\r\nContent-Length: 2\r\n\r\n{}")},
	{name: "headers of the connection", server: says(ok + "Connection: X-Mine, keep-alive\r\nX-Mine: 1\r\nKeep-Alive: timeout=5\r\n" +
		"Proxy-Authenticate: Basic\r\nUpgrade: h2c\r\nTe: trailers\r\nX-Other: 2\r\nContent-Length: 2\r\n\r\n{}")},
	{name: "headers of the gate", server: says(ok + "Gatehouse-Reason: forged\r\ngatehouse-x: 1\r\nAlt-Svc: h3\r\nContent-Length: 2\r\n\r\n{}")},
	{name: "a challenge of the server", server: says("HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer\r\nContent-Length: 0\r\n\r\n")},
	{name: "its own date", server: says(ok + "Date: yesterday\r\nContent-Length: 2\r\n\r\n{}")},
	{name: "a session", server: says(ok + "Mcp-Session-Id: 1868a90c\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")},
	{name: "a cookie and a server", server: says(ok + "Set-Cookie: a=b\r\nSet-Cookie: c=d\r\nServer: uvicorn\r\nContent-Length: 2\r\n\r\n{}")},
	{name: "encoded", server: says(ok + "Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x00")},
	{name: "a header of 60 KiB", server: says(ok + "A: " + strings.Repeat("x", 60<<10) + "\r\nContent-Length: 2\r\n\r\n{}")},
	{name: "a header of 70 KiB", server: says(ok + "A: " + strings.Repeat("x", 70<<10) + "\r\nContent-Length: 2\r\n\r\n{}")},
	{name: "5000 headers", server: says(ok + strings.Repeat("A: b\r\n", 5000) + "Content-Length: 2\r\n\r\n{}")},
	{name: "20000 headers", server: says(ok + strings.Repeat("A: b\r\n", 20000) + "Content-Length: 2\r\n\r\n{}")},
	{name: "an empty line first", server: says("\r\n" + ok + "Content-Length: 2\r\n\r\n{}")},
	{name: "not HTTP", server: says("220 mail.example ESMTP\r\n\r\n")},
	{name: "not HTTP either", server: says("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n")},
	{name: "an error of the server", server: says("HTTP/1.1 500 Internal Server Error\r\nContent-Length: 2\r\nRetry-After: 3\r\n\r\n{}")},
	{name: "a redirect", server: says("HTTP/1.1 307 Temporary Redirect\r\nLocation: /mcp/\r\nContent-Length: 0\r\n\r\n")},
	{name: "a redirect to the server's own address", server: says("HTTP/1.1 307 Temporary Redirect\r\nLocation: http://127.0.0.1/mcp/?a=b\r\nContent-Length: 0\r\n\r\n")},
	{name: "a redirect to another port of the pod", server: says("HTTP/1.1 302 Found\r\nLocation: http://localhost:9/state\r\nContent-Length: 0\r\n\r\n")},
	{name: "a redirect to another host", server: says("HTTP/1.1 308 Permanent Redirect\r\nLocation: https://other.example/mcp\r\nContent-Length: 0\r\n\r\n")},
	{name: "a redirect to itself", server: says("HTTP/1.1 307 Temporary Redirect\r\nLocation: /mcp?a=b\r\nContent-Length: 0\r\n\r\n")},
	{name: "a redirect of a GET", client: []string{request("GET", "", "Connection: close")}, server: says("HTTP/1.1 302 Found\r\nLocation: /docs\r\nContent-Length: 0\r\n\r\n")},
	{name: "references to the pod", server: says(ok + "Content-Location: http://localhost/a\r\nLink: <http://[::1]/b>; rel=x, <http://127.0.0.1:9/>\r\nLink: </c>\r\n" +
		"Refresh: 1; url=http://0.0.0.0/d\r\nWWW-Authenticate: Bearer resource_metadata=\"http://127.0.0.1/e\"\r\nX-Any: http://127.0.0.1/f\r\nContent-Length: 2\r\n\r\n{}")},
	{name: "second spellings", server: says(ok + "Mcp_Session_Id: raw\r\nmcp.session.id: raw\r\nContent_Type: text/event-stream\r\nX_Any: 1\r\nContent-Length: 2\r\n\r\n{}")},
	{name: "two types", server: says(ok + "Content-Type: application/json\r\nContent-Type: text/event-stream\r\nContent-Length: 2\r\n\r\n{}")},
	{name: "a connection that names the message", server: says(ok + "Connection: Mcp-Session-Id, Content-Type, X-Any\r\nMcp-Session-Id: 1\r\nContent-Type: a/b\r\nX-Any: 1\r\nContent-Length: 2\r\n\r\n{}")},
}

// breaks: answers that break off. None may look complete.
var breaks = []scene{
	{name: "reset at once", server: func(p *peer) {
		if p.isOver() {
			says("")(p)
		}
		p.reset()
	}},
	{name: "closed after the request", server: saysAndCloses("")},
	{name: "reset after the request", server: saysAndResets("")},
	{name: "closed in the status line", server: saysAndCloses("HTTP/1.")},
	{name: "reset in the status line", server: saysAndResets("HTTP/1.")},
	{name: "closed in the header", server: saysAndCloses(ok + "Content-")},
	{name: "reset in the header", server: saysAndResets(ok + "Content-")},
	{name: "closed before the body", server: saysAndCloses(ok + "Content-Length: 50\r\n\r\n")},
	{name: "reset before the body", server: saysAndResets(ok + "Content-Length: 50\r\n\r\n")},
	{name: "closed in the body", server: saysAndCloses(ok + "Content-Length: 50\r\n\r\nhello")},
	{name: "reset in the body", server: saysAndResets(ok + "Content-Length: 50\r\n\r\nhello")},
	{name: "closed in a chunk", server: saysAndCloses(chunked + "\r\n9\r\nhello")},
	{name: "reset in a chunk", server: saysAndResets(chunked + "\r\n9\r\nhello")},
	{name: "closed between chunks", server: saysAndCloses(chunked + "\r\n5\r\nhello\r\n")},
	{name: "reset between chunks", server: saysAndResets(chunked + "\r\n5\r\nhello\r\n")},
	{name: "closed in the last chunk", server: saysAndCloses(chunked + "\r\n5\r\nhello\r\n0\r\n")},
	{name: "closed in the trailers", server: saysAndCloses(chunked + "\r\n5\r\nhello\r\n0\r\nX-La")},
	{name: "reset before the end that tells", server: saysAndResets(ok + "\r\nhello")},
	{name: "closed between events", server: saysAndCloses(events + "\r\n9\r\ndata: 1\n\n\r\n")},
	{name: "reset between events", server: saysAndResets(events + "\r\n9\r\ndata: 1\n\n\r\n")},
	{name: "closed in an event", server: saysAndCloses(events + "\r\n6\r\ndata: \r\n")},
}

// streams: server-sent events pass as they are.
var streams = []scene{
	{name: "an event", server: says(events + "\r\n9\r\ndata: 1\n\n\r\n0\r\n\r\n")},
	{name: "an event to a GET", client: gets, server: says(events + "\r\n9\r\ndata: 1\n\n\r\n0\r\n\r\n")},
	{name: "an event until the end", server: saysAndCloses(ok + "Content-Type: text/event-stream\r\n\r\ndata: 1\n\n")},
	{name: "an event, counted", server: says(ok + "Content-Type: text/event-stream\r\nContent-Length: 9\r\n\r\ndata: 1\n\n")},
	{name: "no event", server: says(events + "\r\n0\r\n\r\n")},
	{name: "comments", server: says(events + "\r\nb\r\n:\n: alive\n\n\r\n0\r\n\r\n")},
	{name: "an id and a retry", server: says(events + "\r\n18\r\nid: 7\nretry: 10\ndata: \n\n\r\n0\r\n\r\n")},
	{name: "lines of all kinds", server: says(events + "\r\n12\r\ndata: 1\r\rdata:2\r\n\r\r\n0\r\n\r\n")},
	{name: "an event in many chunks", server: says(events + "\r\n1\r\nd\r\n1\r\na\r\n2\r\nta\r\n1\r\n:\r\n2\r\n\n\n\r\n0\r\n\r\n")},
	{name: "with a charset", server: says(chunked + "Content-Type: Text/Event-Stream; charset=utf-8\r\nX-Accel-Buffering: no\r\nCache-Control: no-cache\r\n\r\n" +
		"9\r\ndata: 1\n\n\r\n0\r\n\r\n")},
	{name: "a type that is none", server: says(chunked + "Content-Type: text/event-stream; =\r\n\r\n9\r\ndata: 1\n\n\r\n0\r\n\r\n")},
	{name: "POISON behind events", server: says(events + "\r\n9\r\ndata: 1\n\n\r\n0\r\n\r\nPOISON")},
	{name: "events to an old client", client: []string{"GET /mcp HTTP/1.0\r\nHost: localhost\r\n\r\n"}, server: says(events + "\r\n9\r\ndata: 1\n\n\r\n0\r\n\r\n")},
}

// early: answers that do not wait for the request.
var early = []scene{
	{name: "before the body", client: []string{post(strings.Repeat("x", 4<<20))}, server: unread("HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig")},
	{name: "before a small body", server: unread("HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig")},
	{name: "before the body, kept open", client: []string{post(strings.Repeat("x", 1<<20))}, server: func(p *peer) {
		if p.isOver() {
			says("")(p)
			return
		}
		_, _ = io.CopyN(io.Discard, p, 1<<10)
		p.send("HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nbig")
		_, _ = io.Copy(io.Discard, p)
	}},
	{name: "slow", server: func(p *peer) {
		for p.request() {
			for _, c := range p.stage.next(ok + "Content-Length: 5\r\n\r\nhello") {
				p.send(string(c))
				time.Sleep(time.Millisecond)
			}
		}
	}},
}

// sayTwice says one thing at once, and another when the first has been passed on.
func sayTwice(first, second string) part {
	return func(p *peer) {
		for p.request() {
			text := p.stage.next(first)
			p.send(text)
			if text != clean {
				p.stage.wait()
				p.send(second)
			}
		}
	}
}

// unread answers the first kilobyte at most, and closes.
func unread(text string) part {
	return func(p *peer) {
		if p.isOver() {
			says("")(p)
			return
		}
		_, _ = p.Read(make([]byte, 1<<10))
		p.send(text)
	}
}
