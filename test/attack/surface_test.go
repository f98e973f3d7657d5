package attack

import (
	"net/http"
	"strings"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

// Which requests are looked at, and what of them the server gets.
func TestSurface(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(c *gateapi.Config) {
		c.AllowedOrigins = []string{"https://app.example"}
		c.Upstream.ExtraPaths = []string{"/files"}
		c.Upstream.ClaimHeaders = []gateapi.ClaimHeader{{Header: "X-User", Claim: "sub"}, {Header: "X-Email", Claim: "email"}}
	})
	s.try(t, s.paths())
	s.try(t, s.methods())
	s.try(t, s.hosts())
	s.try(t, s.origins())
	s.try(t, s.singles())
	s.try(t, s.spoofed())
}

// paths: what could be read in two ways is refused before anything else; all else is 401 without a token, and 404 with.
func (s *site) paths() []attack {
	var out []attack
	for _, path := range []string{
		"//mcp", "/mcp//", "/./mcp", "/x/../mcp", "/mcp/..", "/mcp/.", "/mcp/%2e%2e/admin", "/%2e/mcp", "/%6dcp/%2E%2E", "/mcp%2f", "/mcp%2F..",
		"/mcp%5c", `/mcp\`, "/mcp;x=y", "/mcp%3bx", "/mcp%00", "/mcp%252f", "/mcp/..;/admin", "/.well-known/../mcp", "/files/../mcp", "//", "/..",
	} {
		out = append(out, attack{line: "T19", name: "path " + path, raw: rawRequest("GET "+path+" HTTP/1.1", "", "Authorization: Bearer "+s.mint()), answers: one(unnamed("bad_target"))})
	}
	for _, path := range []string{
		"/", "/mcp/", "/MCP", "/Mcp", "/mcp/x", "/mcpx", "/mc", "/%6dcp", "/mcp%20", "/mcp.", "/admin", "/files/", "/files/x", "/metrics", "/livez", "/readyz", "/state", "/quiesce", "/terminate",
		"/debug/pprof/", "/.well-known/oauth-protected-resource", "/.well-known/oauth-protected-resource/mcp", "/.env", "/favicon.ico", "/sse", "/messages/",
	} {
		out = append(out,
			attack{line: "T19", name: "path " + path + " without a token", raw: rawRequest("GET "+path+" HTTP/1.1", ""), answers: one(unnamed("missing_token"))},
			attack{line: "T19", name: "path " + path + " with a token", raw: rawRequest("GET "+path+" HTTP/1.1", "", "Authorization: Bearer "+s.mint()), answers: one(unnamed("unknown_path"))})
	}
	return append(out,
		attack{line: "T19", name: "an extra path without a token", raw: rawRequest("GET /files HTTP/1.1", ""), answers: one(unnamed("missing_token"))},
		attack{line: "T19", name: "an extra path", raw: rawRequest("GET /files HTTP/1.1", "", "Authorization: Bearer "+s.mint()), answers: one(serve())},
		attack{line: "T19", name: "a query does not change the path", raw: rawRequest("GET /mcp?x=/../admin HTTP/1.1", "", "Authorization: Bearer "+s.mint()), answers: one(serve())},
		attack{line: "T19", name: "a question mark in escapes does", raw: rawRequest("GET /mcp%3f HTTP/1.1", "", "Authorization: Bearer "+s.mint()), answers: one(unnamed("unknown_path"))})
}

func (s *site) methods() []attack {
	token := "Authorization: Bearer " + s.mint()
	tunnels := refuse("bad_target").saying("the method is not allowed here").withID("null")
	out := []attack{
		{line: "H3", name: "CONNECT", raw: joinLines("CONNECT evil.example:443 HTTP/1.1", "Host: evil.example:443", token, ""), answers: one(tunnels.to("CONNECT"))},
		{line: "H3", name: "CONNECT of our path", raw: rawRequest("CONNECT /mcp HTTP/1.1", "", token), answers: one(tunnels.to("CONNECT"))},
		{line: "H3", name: "TRACE", raw: rawRequest("TRACE /mcp HTTP/1.1", "", token), answers: one(tunnels)},
		{line: "T18", name: "OPTIONS *", raw: rawRequest("OPTIONS * HTTP/1.1", "", token), answers: one(unnamed("bad_target"))},
		{line: "T18", name: "OPTIONS without a token", raw: rawRequest("OPTIONS /mcp HTTP/1.1", ""), answers: one(unnamed("missing_token"))},
		{line: "H3", name: "HEAD", raw: rawRequest("HEAD /mcp HTTP/1.1", "", token), answers: one(unnamed("unknown_method").to(http.MethodHead))},
		{line: "H3", name: "a method that overrides itself", raw: rawRequest("PUT /mcp HTTP/1.1", ping, token, "X-HTTP-Method-Override: POST"), answers: one(refuse("unknown_method"))},
	}
	for _, method := range []string{"PUT", "PATCH", "OPTIONS", "PROPFIND", "QUERY", "post", "GETS"} {
		out = append(out, attack{line: "H3", name: method + " with a token", raw: rawRequest(method+" /mcp HTTP/1.1", ping, token), answers: one(refuse("unknown_method"))})
	}
	return append(out,
		attack{line: "H3", name: "PUT of an extra path without a token", raw: rawRequest("PUT /files HTTP/1.1", ping), answers: one(refuse("missing_token"))},
		attack{line: "H3", name: "PUT of an extra path", raw: rawRequest("PUT /files HTTP/1.1", ping, token), answers: one(serve())})
}

func (s *site) hosts() []attack {
	var out []attack
	ask := func(name string) string {
		return joinLines("GET /mcp HTTP/1.1", "Host: "+name, "Authorization: Bearer "+s.mint(), "")
	}
	for _, name := range []string{
		"evil.example", host + ".evil.example", "evil." + host, "localhost.evil.example", "127.0.0.1.evil.example", "xn--weather", "weather", "169.254.169.254.nip.example",
		"2130706433", "0x7f000001", "127.1", host + "..", "", "*", host + ":80:80",
	} {
		out = append(out, attack{line: "T14", name: "Host " + name, raw: ask(name), answers: one(unnamed("wrong_host"))})
	}
	for _, name := range []string{host, strings.ToUpper(host), host + ".", host + ":8080", "localhost", "localhost:1", "127.0.0.1", "[::1]:8080", "10.1.2.3:8080"} {
		out = append(out, attack{line: "T14", name: "Host " + name, raw: ask(name), answers: one(serve()), seen: func(r *http.Request) string {
			return differs("Host at the server", r.Host, s.server.address.String())
		}})
	}
	return append(out, attack{
		line: "T14", name: "a Host that a proxy is said to have seen", raw: post(s.mint(), ping, "X-Forwarded-Host: evil.example", "Forwarded: host=evil.example"), answers: one(serve()),
		seen: func(r *http.Request) string {
			return differs("forwarded host at the server", r.Header.Get("X-Forwarded-Host")+r.Header.Get("Forwarded"), host)
		},
	})
}

func (s *site) origins() []attack {
	var out []attack
	for _, origin := range []string{
		"https://evil.example", "http://app.example", "https://app.example:8443", "https://app.example.evil.example", "https://evil-app.example", "null", "", "*", "file://",
		"https://app.example/", "https://x@app.example", "https://app.example, https://evil.example", "chrome-extension://abc", "http://localhost",
	} {
		out = append(out, attack{line: "T13", name: "Origin " + origin, raw: post(s.mint(), ping, "Origin: "+origin), answers: one(refuse("wrong_origin"))})
	}
	preflight := func(origin string) string {
		return rawRequest("OPTIONS /mcp HTTP/1.1", "", "Origin: "+origin, "Access-Control-Request-Method: POST", "Access-Control-Request-Headers: authorization")
	}
	return append(out,
		attack{line: "A18", name: "a foreign origin comes before the token", raw: post("", ping, "Origin: https://evil.example"), answers: one(refuse("wrong_origin"))},
		attack{line: "A18", name: "a foreign host comes before the token", raw: joinLines("GET /mcp HTTP/1.1", "Host: evil.example", ""), answers: one(unnamed("wrong_host"))},
		attack{line: "T13", name: "an allowed origin without a token", raw: post("", ping, "Origin: https://app.example"), answers: one(refuse("missing_token").with("Access-Control-Allow-Origin", "https://app.example"))},
		attack{line: "T13", name: "an allowed origin", raw: post(s.mint(), ping, "Origin: https://app.example"), answers: one(serve().with("Access-Control-Allow-Origin", "https://app.example"))},
		attack{line: "T13", name: "its own origin", raw: post(s.mint(), ping, "Origin: http://"+host), answers: one(serve())},
		attack{line: "T13", name: "no origin", raw: post(s.mint(), ping), answers: one(serve().with("Access-Control-Allow-Origin", ""))},
		attack{line: "T18", name: "preflight", raw: preflight("https://app.example"), answers: one(golang(204, "").with("Access-Control-Allow-Origin", "https://app.example"))},
		attack{line: "T18", name: "preflight of a path that is not there", raw: strings.Replace(preflight("https://app.example"), "/mcp", "/admin", 1), answers: one(golang(204, ""))},
		attack{line: "T18", name: "preflight of a foreign origin", raw: preflight("https://evil.example"), answers: one(unnamed("wrong_origin"))},
		attack{line: "T18", name: "no preflight: no method is asked for", raw: rawRequest("OPTIONS /mcp HTTP/1.1", "", "Origin: https://app.example"), answers: one(unnamed("missing_token"))},
		attack{line: "T18", name: "no preflight: not OPTIONS", raw: post("", ping, "Origin: https://app.example", "Access-Control-Request-Method: POST"), answers: one(refuse("missing_token"))})
}

// singles are headers of which two would be read by two people.
func (s *site) singles() []attack {
	var out []attack
	for _, c := range []struct{ name, value string }{
		{"Content-Type", "application/json"}, {"Mcp-Session-Id", "x"}, {"Origin", "https://app.example"},
		{"Mcp-Method", "ping"}, {"Mcp-Name", "x"}, {"Mcp-Protocol-Version", "2025-11-25"},
	} {
		header := c.name + ": " + c.value
		raw := rawRequest("POST /mcp HTTP/1.1", ping, "Authorization: Bearer "+s.mint(), header, strings.ToLower(c.name)+": "+c.value)
		out = append(out, attack{line: "T7", name: "two headers " + c.name, raw: raw, answers: one(refuse("ambiguous_header").saying("more than one " + c.name + " header"))})
	}
	return out
}

// spoofed headers tell the server what only the gate may tell it.
func (s *site) spoofed() []attack {
	var out []attack
	for _, name := range []string{
		"X-User", "x-user", "X_User", "X_USER", "X.User", "X-Email", "X_Email", "Gatehouse-Subject", "Gatehouse-Reason", "X-Real-IP", "Forwarded", "Via",
		"X-Forwarded-User", "X-Forwarded-Proto", "X_Forwarded_For", "X-Original-URL", "X-Rewrite-URL", "X-HTTP-Method-Override", "X-Method-Override", "Cookie", "Proxy",
		"Proxy-Authorization", "X-Envoy-External-Address", "X-Amzn-Oidc-Data", "Mcp_Session_Id", "Content_Length", "TE", "Upgrade", "True-Client-IP", "CF-Connecting-IP",
	} {
		line := "T15"
		if strings.HasPrefix(strings.ToLower(name), "x") && strings.HasSuffix(strings.ToLower(name), "user") {
			line = "A9"
		}
		out = append(out, attack{line: line, name: "spoofed " + name, raw: post(s.mint(), ping, name+": mallory"), answers: one(serve()), seen: nowhere("mallory")})
	}
	good := func(fields ...string) string { return post(s.mint(), ping, fields...) }
	return append(out,
		attack{line: "A9", name: "the server is told who asks", raw: good("X-User: mallory"), answers: one(serve()), seen: says("X-User", "alice")},
		attack{line: "A9", name: "what Connection names", raw: good("Connection: X-User, close", "X-User: mallory"), answers: one(serve()), seen: says("X-User", "alice")},
		attack{line: "A9", name: "a claim that is not there", raw: good("X-Email: mallory@evil.example"), answers: one(serve()), seen: says("X-Email", "")},
		attack{line: "A9", name: "a claim with a line in it", raw: post(s.mint(setClaim("sub", "alice\r\nX-Admin: mallory")), ping), answers: one(serve()), seen: nowhere("mallory")},
		attack{line: "A9", name: "a claim with a space behind", raw: post(s.mint(setClaim("sub", "alice ")), ping), answers: one(serve()), seen: says("X-User", "")},
		attack{line: "T15", name: "where the request came from", raw: good("X-Forwarded-For: 6.6.6.6"), answers: one(serve()), seen: says("X-Forwarded-For", "127.0.0.1")},
		attack{line: "T7", name: "parameters with an underscore", raw: good("Mcp-Param-a_b: =?base64?w6k=?="), answers: one(serve()), seen: says("Mcp-Param-A_b", "=?base64?w6k=?=")},
		attack{line: "T4", name: "the revision", raw: good("MCP-Protocol-Version: 2025-06-18"), answers: one(serve()), seen: says("Mcp-Protocol-Version", "2025-06-18")},
		attack{line: "T5", name: "where a stream goes on", raw: good("Last-Event-ID: 41"), answers: one(serve()), seen: says("Last-Event-Id", "41")})
}

// says wants the server to see a header with this value.
func says(name, want string) func(*http.Request) string {
	return func(r *http.Request) string {
		return differs(name+" at the server", strings.Join(r.Header.Values(name), " | "), want)
	}
}

// nowhere wants the text in no header.
func nowhere(text string) func(*http.Request) string {
	return func(r *http.Request) string {
		for name, values := range r.Header {
			if strings.Contains(strings.Join(values, " "), text) {
				return "the server sees " + name + ": " + strings.Join(values, " ")
			}
		}
		return ""
	}
}
