package gate_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

// What no line may have, wherever a client puts it.
const (
	hush    = "hunter2Zx9Kq2LmT7vB4nW8"
	hushJWT = "eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJlLW9mLXRoZS10b2tlbg"
)

// detailSite has one of everything that is compared.
func detailSite(t *testing.T) (*site, *logBuffer) {
	t.Helper()
	lines := &logBuffer{}
	s := prepareSite(t, serveHTTP(t, echo))
	s.template.Scope = "mcp"
	s.config.AllowedHosts = []string{"weather.tools.svc", "weather.example", "a.example", "b.example"}
	s.config.AllowedOrigins = []string{"https://app.example"}
	s.config.SessionBinding = gateapi.SessionBindingCaller
	s.config.Upstream.ExtraPaths = []string{"/files"}
	s.config.Limits.BodyBytes = 4096
	s.config.ResourceMetadata = &gateapi.ResourceMetadata{Resource: "https://weather.example/mcp", AuthorizationServers: []string{"https://issuer.example"}}
	s.config.Authorization = gateapi.Authorization{
		RequiredScopes: []string{"mcp"}, DefaultAction: gateapi.ActionDeny,
		Rules: []gateapi.Rule{
			{Methods: []string{"tools/list"}, Tools: []string{"read_*"}},
			{Tools: []string{"delete_file"}, Scopes: []string{"admin", "files"}},
			{Tools: []string{"format"}, Claims: []gateapi.ClaimMatch{{Name: "team", Values: []string{hush}}}},
			{Prompts: []string{"greet"}, Claims: []gateapi.ClaimMatch{{Name: "team", Values: []string{hush}}}},
			{Resources: []string{"file:///public/*"}},
		},
	}
	s.writeConfig()
	s.start(audited(lines))
	return s, lines
}

// Each refusal says what was compared, for whoever reads the audit, and nothing that could be a credential.
func TestRefusalsSayWhatWasCompared(t *testing.T) {
	s, lines := detailSite(t)
	bearer := "Authorization: Bearer " + s.token()
	call := func(method, params string) string {
		return `{"jsonrpc":"2.0","id":7,"method":"` + method + `","params":{` + params + `}}`
	}
	tool := func(name string) string { return call("tools/call", `"name":"`+name+`"`) }
	hosts := "allowed weather.tools.svc, weather.example, a.example, 1 more and localhost and IP addresses"
	own := `allowed https://app.example and that of host "localhost"`
	cases := []struct{ line, header, body, reason, detail string }{
		// Hosts.
		{"GET /mcp", "Host: evil.example", "", "wrong_host", `host "evil.example", ` + hosts},
		{"GET /mcp", "Host: evil.example:8443", "", "wrong_host", `host "evil.example:8443", ` + hosts},
		{"GET /mcp", "Host: ", "", "wrong_host", `host "", ` + hosts},
		{"GET /mcp", "Host: alice:" + hush, "", "wrong_host", `host "alice:*", ` + hosts},
		{"GET /mcp", "Host: " + hushJWT, "", "wrong_host", `host "*", ` + hosts},
		{"GET http://evil.example/mcp", "Host: localhost", "", "bad_target", `a URL of scheme "http" and host "evil.example", ` + hosts},
		{"GET http://u:" + hush + "@evil.example/mcp?" + hush, "Host: localhost", "", "bad_target", `a URL of scheme "http" and host "evil.example", ` + hosts},
		{"GET ftp://localhost/" + hush, "Host: localhost", "", "bad_target", `a URL of scheme "ftp" and host "localhost", ` + hosts},
		// Origins.
		{"GET /mcp", "Origin: https://evil.example", "", "wrong_origin", `origin "https://evil.example", ` + own},
		{"GET /mcp", "Origin: https://evil.example/" + hush + "?" + hush, "", "wrong_origin", `origin "https://evil.example/*", ` + own},
		{"GET /mcp", "Origin: https://u:" + hush + "@evil.example", "", "wrong_origin", `origin "https://*@evil.example", ` + own},
		{"GET /mcp", "Origin: null", "", "wrong_origin", `origin "null", ` + own},
		{"GET /mcp", "Origin: data:," + hush, "", "wrong_origin", `origin "*", ` + own},
		{"GET /mcp", "Origin: \xe2\x80\xae" + hush, "", "wrong_origin", `origin "*", ` + own},
		// Paths and methods.
		{"GET /admin/tools", bearer, "", "unknown_path", `path "/admin/tools", endpoint "/mcp"`},
		{"GET /mcp/", bearer, "", "unknown_path", `path "/mcp/", endpoint "/mcp"`},
		{"GET /s/" + hush + "/mcp?" + hush, bearer, "", "unknown_path", `path "/s/*/mcp", endpoint "/mcp"`},
		{"GET /s/" + hushJWT, bearer, "", "unknown_path", `path "/s/*", endpoint "/mcp"`},
		{"GET /mcp%3f" + hush, bearer, "", "unknown_path", `path "/*", endpoint "/mcp"`},
		{"GET /mcp;" + hush, bearer, "", "bad_target", `path "/*" is not in its plain form`},
		{"GET /a/../" + hush, bearer, "", "bad_target", `path "/a/../*" is not in its plain form`},
		{"TRACE /mcp", bearer, "", "bad_target", "method TRACE"},
		{"PUT /mcp", bearer, "", "unknown_method", "method PUT, allowed GET, POST, DELETE"},
		{strings.ToUpper(hush) + " /mcp", bearer, "", "unknown_method", "method other, allowed GET, POST, DELETE"},
		{"DELETE /.well-known/oauth-protected-resource", "", "", "unknown_method", "method DELETE, allowed GET, HEAD, OPTIONS"},
		// Headers.
		{"GET /mcp", "Authorization: Bearer " + hush + "\r\nAuthorization: Bearer " + hush, "", "ambiguous_header", "more than one Authorization header"},
		{"GET /mcp", "Mcp-Session-Id: " + hush + "\r\nMcp-Session-Id: " + hush, "", "ambiguous_header", "more than one Mcp-Session-Id header"},
		{"GET /mcp", bearer + "\r\nMcp-Session-Id: " + hush, "", "unknown_session", "session id that no gate has sealed"},
		{"GET /mcp", bearer + "\r\nMcp-Session-Id: gA.0123456789012345678901." + hush, "", "unknown_session", "session id sealed for another caller or another server, or with a secret that is gone"},
		{"POST /mcp", bearer + "\r\nMcp-Method: tools/list", tool("read_x"), "header_mismatch", `Mcp-Method "tools/list", in the body "tools/call"`},
		{"POST /mcp", bearer + "\r\nMcp-Name: https://u:" + hush + "@h/a?" + hush, tool("read_x#" + hush), "header_mismatch", `Mcp-Name "https://*@h/a", in the body "read_x"`},
		{"POST /mcp", bearer + "\r\nMcp-Method: ping", "[" + ping + "]", "header_mismatch", "Mcp-Method for a batch"},
		{"POST /mcp", bearer + "\r\nContent-Type: text/plain; boundary=" + hush, ping, "unsupported_media", `media type "text/plain", with parameters`},
		{"POST /mcp", bearer + "\r\nContent-Type: application/json; charset=utf-16", ping, "unsupported_media", `media type "application/json", charset "utf-16"`},
		{"POST /mcp", bearer + "\r\nContent-Type: application/json\r\nContent-Encoding: gzip", ping, "unsupported_media", `media type "application/json", coding "gzip"`},
		// Bodies.
		{"POST /mcp", bearer, strings.Repeat("x", 5000), "body_too_large", "a body of 5000 bytes, limit 4096 bytes"},
		{"POST /mcp", bearer, hush, "bad_message", "the body is not JSON"},
		{"DELETE /mcp", bearer, hush, "bad_message", "a message must come in a POST"},
		// Rights.
		{"POST /mcp", bearer, tool("delete_file"), "insufficient_scope", "scopes needed: mcp admin files"},
		{"POST /mcp", bearer, tool("format"), "forbidden", "rules name this tool, and the claims of the caller meet none of them"},
		{"POST /mcp", bearer, tool("wipe"), "forbidden", "rules name some of this kind, and not this tool"},
		{"POST /mcp", bearer, call("prompts/get", `"name":"greet"`), "forbidden", "rules name this prompt, and the claims of the caller meet none of them"},
		{"POST /mcp", bearer, call("resources/read", `"uri":"https://u:`+hush+`@h/`+`"`), "forbidden", "rules name some of this kind, and not this resource"},
		{"POST /mcp", bearer, call("tasks/get", `"taskId":"x"`), "forbidden", "no rule allows this task, and defaultAction is Deny"},
		{"POST /mcp", bearer, call("logging/setLevel", ""), "forbidden", "no rule allows this method, and defaultAction is Deny"},
		{"POST /mcp", bearer, call("Tools/Call", ""), "bad_message", `method "Tools/Call" is spelled nearly like one that is judged`},
		{"POST /mcp", bearer, `{"jsonrpc":"2.0","id":1,"result":{}}`, "forbidden", "a response outside of a session"},
		{"POST /mcp", "Authorization: Bearer " + s.as(gateapi.ProbeSubject), tool("read_x"), "reserved_subject", `method "tools/call"`},
		{"GET /mcp", "Authorization: Bearer " + s.as(gateapi.ProbeSubject), "", "reserved_subject", "HTTP method GET"},
		{"POST /files", "Authorization: Bearer " + s.as(gateapi.ProbeSubject), "", "reserved_subject", "an extra path"},
	}
	for i, c := range cases {
		s.sendRaw(c.line, c.header, c.body, fmt.Sprintf("case-%d", i))
	}
	s.stop()
	got := map[string]string{} // by id
	for text := range strings.Lines(lines.String()) {
		var l struct{ RequestID, Reason, Detail string }
		must(t, json.Unmarshal([]byte(text), &l))
		got[l.RequestID] = l.Reason + ": " + l.Detail
	}
	for i, c := range cases {
		if got, want := got[fmt.Sprintf("case-%d", i)], c.reason+": "+c.detail; got != want {
			t.Errorf("%s, %s, %.80s:\n got  %s\n want %s", c.line, c.header, c.body, got, want)
		}
	}
	if text := lines.String() + s.log.String(); strings.Contains(strings.ToLower(text), strings.ToLower(hush)) || strings.Contains(text, hushJWT[:30]) {
		t.Error("a secret is in a line")
	}
	if !strings.Contains(s.log.String(), `"detail":"host \"evil.example`) {
		t.Error("the debug log does not have the detail")
	}
	t.Logf("%d cases", len(cases))
}

// sendRaw sends one request, and reads its answer.
func (s *site) sendRaw(line, header, body, id string) {
	s.t.Helper()
	request := line + " HTTP/1.1\r\n"
	if !strings.Contains(header, "Host:") {
		request += "Host: localhost\r\n"
	}
	if !strings.Contains(header, "Content-Type:") && body != "" {
		request += "Content-Type: application/json\r\n"
	}
	if header != "" {
		request += header + "\r\n"
	}
	s.wire(request+fmt.Sprintf("Connection: close\r\nContent-Length: %d\r\nX-Request-Id: %s\r\n\r\n%s", len(body), id, body), id)
}

// Wherever a client puts a secret, refused or not, it is in no line: neither of the audit nor of the log.
func TestNoSecretIsInAnyLine(t *testing.T) {
	lines := &logBuffer{}
	s := newSite(t, serveHTTP(t, echo), audited(lines))
	good := s.token()
	names := []string{
		"https://u:" + hush + "@h/a", "https://" + hush + "@h", "//u:" + hush + "@h", "u:" + hush + "@h/a", "https://h/a?" + hush, "https://h/a#access_token=" + hush,
		"https://h/a%3f" + hush, "https://h/a%2523" + hush, "https://h/a;" + hush, "https://u:" + hush + "%40h/a", "https://u:a?" + hush + "@h/a", "https://u:a/" + hush + "@h/a",
		"data:text/plain," + hush, "DATA:;base64," + hush, "data:x%2c" + hush, "view-source:data:," + hush, "https://h/" + hushJWT, hushJWT, "Bearer " + hushJWT, "tool?k=" + hush, "k=" + hush,
		"https://u:" + hush + "\uff20h/a", "https://h/a\uff1f" + hush, "\u202e" + hush, hush + "\u0007", strings.Repeat("x", 200) + hush, "jdbc:x://u:" + hush + "@h",
	}
	// Each line that a member of a message can have a part in.
	shapes := []string{
		`{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":%q}}`, `{"jsonrpc":"2.0","id":7,"method":"resources/read","params":{"uri":%q}}`,
		`{"jsonrpc":"2.0","id":7,"method":"prompts/get","params":{"name":%q}}`, `{"jsonrpc":"2.0","id":7,"method":%q}`,
		`{"jsonrpc":"2.0","id":7,"method":"completion/complete","params":{"ref":{"type":"ref/resource","uri":%q}}}`, `{"jsonrpc":"2.0","id":%q,"method":"ping"}`,
		`{"jsonrpc":"2.0","id":7,"method":"tasks/get","params":{"taskId":%q}}`,
	}
	sent := 0
	ask := func(shape, name, token string) {
		body := strings.ReplaceAll(fmt.Sprintf(shape, name), `\a`, `\u0007`)
		s.do(s.request(http.MethodPost, "/mcp?access_token="+hush, token, strings.NewReader(body)))
		sent++
	}
	for i, shape := range shapes {
		for _, name := range names {
			ask(shape, name, good)
		}
		ask(shape, names[i], "") // a stranger has few lines
	}
	for i, header := range []string{
		"Host: u:" + hush + "@h", "Referer: https://h/?" + hush, "Cookie: a=" + hush, "X-Api-Key: " + hush, "Authorization: Basic " + hush, "Authorization: Bearer " + hush, "Authorization: " + hush,
		"Origin: https://" + hush + "@h", "Mcp-Session-Id: " + hush, "Mcp-Name: " + hush, "Mcp-Method: " + hush, "Content-Type: " + hush, "Accept: " + hush, "User-Agent: " + hush, "X-Forwarded-For: " + hush,
		"X-Request-Id: https://u:" + hush + "@h/ " + hush, "Proxy-Authorization: Bearer " + hush, "Sec-WebSocket-Protocol: bearer." + hush,
	} {
		for _, line := range []string{"POST /mcp?k=" + hush, "GET /" + hush + "/x?k=" + hush, strings.ToUpper(hush) + " /mcp"} {
			with := header
			if !strings.HasPrefix(header, "Authorization") {
				with += "\r\nAuthorization: Bearer " + good
			}
			s.sendRaw(line, with, ping, fmt.Sprintf("header-%d", i))
			sent++
		}
	}
	s.stop()
	for _, secret := range []string{hush, hush[:16], strings.ToUpper(hush), strings.ToUpper(hush[:16]), hushJWT, hushJWT[:30], hushJWT[len(hushJWT)-30:]} {
		for name, text := range map[string]string{"audit": lines.String(), "log": s.log.String()} {
			for line := range strings.Lines(text) {
				if strings.Contains(line, secret) {
					t.Errorf("the %s has %.600s", name, line)
				}
			}
		}
	}
	if t.Logf("%d requests", sent); sent < 200 || strings.Count(lines.String(), `"outcome":"forwarded"`) < len(shapes)*len(names) {
		t.Errorf("%d requests, %d lines of what was let in", sent, strings.Count(lines.String(), `"outcome":"forwarded"`))
	}
}
