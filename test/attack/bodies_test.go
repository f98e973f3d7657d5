package attack

import (
	"strings"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

// Where rules judge messages, the server must read what was judged.
func TestBodies(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(c *gateapi.Config) {
		bound(c)
		c.Authorization.Rules = []gateapi.Rule{{Tools: []string{"read"}}, {Methods: []string{"tools/list"}}, {Resources: []string{"file:///public/*"}}}
	})
	s.try(t, s.encodings())
	s.try(t, s.ambiguous())
	s.try(t, s.hidden())
	s.try(t, s.repeated())
	s.try(t, s.framed())
}

func callOf(tool string) string {
	return `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":` + tool + `}}`
}

// encodings: a body in another one could be read as another message.
func (s *site) encodings() []attack {
	utf32 := func(text string) string {
		var out strings.Builder
		for _, c := range []byte(text) {
			out.WriteString("\x00\x00\x00" + string(rune(c)))
		}
		return out.String()
	}
	bad := callOf(`"wipe"`)
	as := func(kind, body string, fields ...string) string {
		return rawRequest("POST /mcp HTTP/1.1", body, append(fields, "Authorization: Bearer "+s.mint(), "Content-Type: "+kind)...)
	}
	notUTF8, notJSON := "the body must be UTF-8", "the body is not JSON"
	var out []attack
	for _, c := range []struct{ name, body, id, message string }{
		{"UTF-16", utf16(bad), "null", notJSON},
		{"UTF-16 with a mark", "\xfe\xff" + utf16(bad), "null", notUTF8},
		{"UTF-16, little end first", utf16(bad)[1:] + "\x00", "null", notJSON},
		{"UTF-32", utf32(bad), "null", notJSON},
		{"byte order mark", "\xef\xbb\xbf" + bad, "null", notJSON},
		{"broken UTF-8", strings.Replace(bad, "wipe", "wi\xffpe", 1), "7", notUTF8},
		{"overlong UTF-8", strings.Replace(bad, "/", "\xc0\xaf", 1), "7", notUTF8},
		{"surrogates in UTF-8", strings.Replace(bad, "wipe", "\xed\xa0\x80", 1), "7", notUTF8},
		{"UTF-7", "+AHsAIg-", "null", notJSON},
	} {
		out = append(out, attack{line: "T8", name: c.name, raw: as("application/json", c.body), answers: one(refuse("bad_message").saying(c.message).withID(c.id))})
	}
	for _, kind := range []string{
		"text/plain", "application/json; charset=utf-16", "application/json; charset=latin1", "application/json; x=y", "application/jsonl", "application/x-www-form-urlencoded",
		"multipart/form-data; boundary=x", "application/json, text/plain", "application/json;charset=utf-8;charset=utf-16", "json", "", "*/*", "application/vnd.api+json", "application/json\x00x",
	} {
		want := one(refuse("unsupported_media"))
		if strings.Contains(kind, "\x00") {
			want = one(golang(400, "400 Bad Request"))
		}
		out = append(out, attack{line: "T8", name: "Content-Type " + kind, raw: as(kind, ping), answers: want})
	}
	for _, coding := range []string{"gzip", "deflate", "br", "identity, gzip", "x", "", "zstd"} {
		out = append(out, attack{line: "T8", name: "Content-Encoding " + coding, raw: as("application/json", ping, "Content-Encoding: "+coding), answers: one(refuse("unsupported_media"))})
	}
	return append(out,
		attack{line: "T8", name: "no Content-Type", raw: rawRequest("POST /mcp HTTP/1.1", ping, "Authorization: Bearer "+s.mint()), answers: one(refuse("unsupported_media"))},
		attack{line: "T8", name: "charset utf-8", raw: as("Application/JSON; Charset=UTF-8", ping), answers: one(serve())},
		attack{line: "T8", name: "Content-Encoding identity", raw: as("application/json", ping, "Content-Encoding: identity"), answers: one(serve())})
}

// ambiguous messages are read differently by different parsers.
func (s *site) ambiguous() []attack {
	var out []attack
	const (
		twice, lookalike  = "the message has two members of the same name", "the message has a member whose name differs only in case from one that is looked for"
		trailing, notJSON = "the body goes on behind its JSON value", "the body is not JSON"
		control, noKind   = "the message has a control character in a name", "the message has neither a method nor a result nor an error"
		notMessage        = "the body must be a JSON-RPC message or a batch of them"
		deep, half        = "the body nests deeper than 64 levels", "the body holds half a surrogate pair"
		method, name      = "the method must be a string that is not empty", "what the method works on must be named by a string"
		nearly, both      = "the method is spelled nearly like one that is judged: spell it exactly so", "the message has both a method and a result or an error"
		many, kindOfID    = "the batch holds more than 1000 messages", "the id must be a string, a number or null"
	)
	for _, c := range []struct{ name, body, id, message string }{
		{"method twice", `{"id":7,"method":"tools/list","method":"tools/call"}`, "7", twice},
		{"method twice, once escaped", `{"id":7,"method":"tools/list","\u006dethod":"tools/call"}`, "7", twice},
		{"params twice", `{"id":7,"method":"tools/call","params":{"name":"read"},"params":{"name":"wipe"}}`, "7", twice},
		{"name twice", `{"id":7,"method":"tools/call","params":{"name":"read","name":"wipe"}}`, "7", twice},
		{"_meta twice inside", `{"id":7,"method":"ping","params":{"_meta":{"a":1,"a":2}}}`, "7", twice},
		{"id twice", `{"id":7,"id":8,"method":"ping"}`, "7", twice},
		{"METHOD", `{"id":7,"METHOD":"tools/call"}`, "7", lookalike},
		{"method and Method", `{"id":7,"method":"tools/list","Method":"tools/call"}`, "7", lookalike},
		{"Name", `{"id":7,"method":"tools/call","params":{"Name":"wipe","name":"read"}}`, "7", lookalike},
		{"params with a long s", `{"id":7,"method":"tools/list","param\u017f":{}}`, "7", lookalike},
		{"two values", ping + ping, "7", trailing},
		{"a letter behind", ping + "x", "7", trailing},
		{"a NUL behind", ping + "\x00", "7", trailing},
		{"a line with another message", ping + "\n" + callOf(`"wipe"`), "7", trailing},
		{"comment", `{/* */"id":7}`, "null", notJSON},
		{"single quotes", `{'method':'tools/call'}`, "null", notJSON},
		{"comma at the end", `{"id":7,"method":"ping",}`, "7", notJSON},
		{"cut off", ping[:len(ping)-1], "7", notJSON},
		{"nothing", "", "null", notJSON},
		{"only space", "  ", "null", notJSON},
		{"NaN", `{"id":7,"method":"ping","params":NaN}`, "7", notJSON},
		{"leading zero", `{"id":07,"method":"ping"}`, "0", notJSON},
		{"raw newline in a text", "{\"id\":7,\"method\":\"to\nols\"}", "7", notJSON},
		{"unknown escape", `{"id":7,"method":"\x74ools/call"}`, "7", notJSON},
		{"number", "7", "null", notMessage},
		{"text", `"tools/call"`, "null", notMessage},
		{"null", "null", "null", notMessage},
		{"batch in a batch", "[[" + ping + "]]", "null", notMessage},
		{"batch of numbers", "[1]", "null", notMessage},
		{"deep", `{"id":7,"method":"ping","params":` + strings.Repeat("[", 70) + strings.Repeat("]", 70) + `}`, "7", deep},
		{"very deep", `{"id":7,"method":"ping","params":` + strings.Repeat("[", 50000), "7", deep},
		{"half a pair", `{"id":7,"method":"ping","params":{"x":"\ud800"}}`, "7", half},
		{"NUL in the method", `{"id":7,"method":"tools/call\u0000"}`, "7", control},
		{"NUL in the tool", callOf(`"read\u0000"`), "7", control},
		{"NUL in a member's name", `{"id":7,"method":"ping","a\u0000":1}`, "7", control},
		{"method is a number", `{"id":7,"method":1}`, "7", method},
		{"method is a list", `{"id":7,"method":["tools/call"]}`, "7", method},
		{"empty method", `{"id":7,"method":""}`, "7", method},
		{"tool is a number", callOf("1"), "7", name},
		{"tool is a list", callOf(`["read"]`), "7", name},
		{"no method", `{"jsonrpc":"2.0","id":7}`, "7", noKind},
		{"request and response in one", `{"id":7,"method":"tools/list","result":{}}`, "7", both},
		{"id is an object", `{"id":{},"method":"ping"}`, "null", kindOfID},
		{"Tools/Call", `{"id":7,"method":"Tools/Call","params":{"name":"wipe"}}`, "7", nearly},
		{"a space behind the method", `{"id":7,"method":"tools/call ","params":{"name":"wipe"}}`, "7", nearly},
		{"a slash before the method", `{"id":7,"method":"/tools/call","params":{"name":"wipe"}}`, "7", nearly},
		{"large batch", "[" + strings.Repeat(ping+",", 1000) + ping + "]", "null", many},
	} {
		out = append(out, attack{line: "T8", name: c.name, raw: post(s.mint(), c.body, lengthOf(c.body)...), answers: one(refuse("bad_message").saying(c.message).withID(c.id))})
	}
	return out
}

// lengthOf says that there is no body, where post does not.
func lengthOf(body string) []string {
	if body == "" {
		return []string{"Content-Length: 0"}
	}
	return nil
}

// hidden: what is judged is not where it is usually looked for.
func (s *site) hidden() []attack {
	var out []attack
	read := func(uri string) string {
		return `{"jsonrpc":"2.0","id":7,"method":"resources/read","params":{"uri":"` + uri + `"}}`
	}
	batch := func(all ...string) string { return "[" + strings.Join(all, ",") + "]" }
	forbidden, mismatch := refuse("forbidden"), refuse("header_mismatch")
	for _, c := range []struct {
		name, body string
		want       answer
		fields     []string
	}{
		{"forbidden tool", callOf(`"wipe"`), forbidden, nil},
		{"tool in other case", callOf(`"READ"`), forbidden, nil},
		{"tool with a space", callOf(`"read "`), forbidden, nil},
		{"tool in escapes", callOf(`"\u0077ipe"`), forbidden, nil},
		{"tool with a letter that looks alike", callOf(`"re\u0430d"`), forbidden, nil},
		{"no tool", `{"jsonrpc":"2.0","id":7,"method":"tools/call"}`, forbidden, nil},
		{"tool by position", `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":["wipe"]}`, forbidden, nil},
		{"tool of a notification", `{"jsonrpc":"2.0","method":"tools/call","params":{"name":"wipe"}}`, forbidden.withID("null"), nil},
		{"method in escapes", `{"jsonrpc":"2.0","id":7,"method":"tools\/call","params":{"name":"wipe"}}`, forbidden, nil},
		{"last of a batch", batch(ping, callOf(`"wipe"`)), forbidden.withID("null"), nil},
		{"first of a batch", batch(callOf(`"wipe"`), ping), forbidden.withID("null"), nil},
		{"resource elsewhere", read("file:///etc/passwd"), forbidden, nil},
		{"resource that climbs", read("file:///public/../etc/passwd"), forbidden, nil},
		{"resource that climbs in escapes", read("file:///public/%2e%2e/etc/passwd"), forbidden, nil},
		{"resource that hides an escape", read("file:///public/%252e%252e/etc"), forbidden, nil},
		{"answer outside of a session", `{"jsonrpc":"2.0","id":7,"result":{}}`, forbidden, nil},
		{"Mcp-Name of another tool", callOf(`"read"`), mismatch.saying("the Mcp-Name header does not say what the body says"), []string{"Mcp-Name: wipe"}},
		{"Mcp-Method of another method", ping, mismatch.saying("the Mcp-Method header does not say what the body says"), []string{"Mcp-Method: tools/call"}},
		{"Mcp-Method in other case", ping, mismatch.saying("the Mcp-Method header does not say what the body says"), []string{"Mcp-Method: PING"}},
		{"Mcp-Name that does not decode", callOf(`"read"`), mismatch.saying("the Mcp-Name header does not say what the body says"), []string{"Mcp-Name: =?base64?!?="}},
		{"Mcp-Name of a batch", batch(callOf(`"read"`)), mismatch.saying("the Mcp-Name header does not say what the body says").withID("null"), []string{"Mcp-Name: read"}},
		{"Mcp-Name for a forbidden tool", callOf(`"wipe"`), mismatch.saying("the Mcp-Name header does not say what the body says"), []string{"Mcp-Name: read"}},
		{"Mcp-Name in base64", callOf(`"read"`), serve(), []string{"Mcp-Name: =?base64?cmVhZA==?=", "Mcp-Method: tools/call"}},
		{"allowed tool", callOf(`"read"`), serve(), nil},
		{"allowed tool in escapes", callOf(`"r\u0065ad"`), serve(), nil},
		{"allowed resource", read("file:///public/a.txt"), serve(), nil},
		{"batch of what is allowed", batch(ping, callOf(`"read"`)), serve(), nil},
	} {
		out = append(out, attack{line: "T8", name: c.name, raw: post(s.mint(), c.body, c.fields...), answers: one(c.want)})
	}
	return out
}

// repeated: T6, batches are there in one revision of MCP only, and never a way around.
func (s *site) repeated() []attack {
	token := "Authorization: Bearer " + s.mint()
	inGet := unnamed("bad_message").saying("a message must come in a POST")
	return []attack{
		{line: "T6", name: "empty batch", raw: post(s.mint(), "[]"), answers: one(serve())},
		{line: "T6", name: "empty batch with Mcp-Method", raw: post(s.mint(), "[]", "Mcp-Method: ping"), answers: one(unnamed("header_mismatch").saying("the Mcp-Method header does not say what the body says"))},
		{line: "T8", name: "a message in a GET", raw: rawRequest("GET /mcp HTTP/1.1", callOf(`"wipe"`), token), answers: one(inGet)},
		{line: "T8", name: "a message in a DELETE", raw: rawRequest("DELETE /mcp HTTP/1.1", callOf(`"wipe"`), token), answers: one(inGet)},
	}
}

// framed: a broken body with a good token, and what follows it.
func (s *site) framed() []attack {
	chunked := func(body string) string {
		return joinLines("POST /mcp HTTP/1.1", "Host: "+host, "Authorization: Bearer "+s.mint(), "Content-Type: application/json", "Transfer-Encoding: chunked", "") + body
	}
	broken := one(unnamed("bad_body"))
	return []attack{
		{line: "H10", name: "judged, size in words", raw: chunked("many\r\n" + ping), answers: broken},
		{line: "H10", name: "judged, negative size", raw: chunked("-1\r\n" + ping), answers: broken},
		{line: "H10", name: "judged, a request behind a broken size", raw: chunked("zz\r\n" + post(s.mint(), ping)), answers: broken},
		{line: "H10", name: "judged, chunk that goes on", raw: chunked("28\r\n" + ping + ping + "\r\n0\r\n\r\n"), answers: one(refuse("bad_body"))},
		{line: "H10", name: "judged, in pieces", raw: chunked("8\r\n" + ping[:8] + "\r\n20\r\n" + ping[8:] + "\r\n0\r\n\r\n"), answers: one(serve())},
		{line: "T17", name: "judged, more than the limit in chunks", raw: chunked("400001\r\n" + strings.Repeat("x", 4<<20+1) + "\r\n0\r\n\r\n"), answers: one(unnamed("body_too_large"))},
	}
}
