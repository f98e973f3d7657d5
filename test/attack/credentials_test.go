package attack

import (
	"net/http"
	"strings"
	"testing"
)

// Where a token may be, and how it is asked for.
func TestCredentials(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.try(t, s.absent())
	s.try(t, s.schemes())
	s.try(t, s.twoTokens())
	s.try(t, s.elsewhere())
	s.try(t, s.perRequest())
	s.try(t, s.ids())
}

// absent: whoever sends nothing is told what is needed, and nothing of what is there.
func (s *site) absent() []attack {
	var out []attack
	for _, method := range []string{"GET", "POST", "DELETE", "PUT", "PATCH", "OPTIONS", "PROPFIND", "MADE-UP", "get"} {
		out = append(out, attack{
			line: "A1", name: method + " without a token", raw: rawRequest(method+" /mcp HTTP/1.1", ""), answers: one(unnamed("missing_token")),
		})
	}
	return append(out,
		attack{line: "A1", name: "HEAD without a token", raw: rawRequest("HEAD /mcp HTTP/1.1", ""), answers: one(unnamed("missing_token").to(http.MethodHead))},
		attack{line: "A1", name: "POST of a message", raw: post("", ping), answers: one(refuse("missing_token"))},
		attack{line: "A1", name: "POST of nothing", raw: post("", "", "Content-Length: 0"), answers: one(unnamed("missing_token"))},
		attack{line: "A1", name: "initialize", raw: post("", `{"jsonrpc":"2.0","id":7,"method":"initialize"}`), answers: one(refuse("missing_token"))},
		attack{line: "A1", name: "tools/call", raw: post("", `{"jsonrpc":"2.0","id":7,"method":"tools/call"}`), answers: one(refuse("missing_token"))},
		attack{line: "A1", name: "a session without a token", raw: post("", ping, "Mcp-Session-Id: "+sessionOfTheServer), answers: one(refuse("missing_token"))},
		attack{line: "A1", name: "batch", raw: post("", "["+ping+"]"), answers: one(unnamed("missing_token"))},
		attack{line: "A17", name: "a cache is not asked", raw: post("", ping, "If-None-Match: *", "Cache-Control: only-if-cached"), answers: one(refuse("missing_token"))},
		attack{line: "A1", name: "GET with a token", raw: rawRequest("GET /mcp HTTP/1.1", "", "Authorization: Bearer "+s.mint()), answers: one(serve())},
		attack{line: "A1", name: "DELETE with a token", raw: rawRequest("DELETE /mcp HTTP/1.1", "", "Authorization: Bearer "+s.mint()), answers: one(serve())},
		attack{line: "A1", name: "DELETE with a bad token", raw: rawRequest("DELETE /mcp HTTP/1.1", "", "Authorization: Bearer x"), answers: one(unnamed("malformed_token"))},
		attack{line: "A1", name: "GET with an expired token", raw: rawRequest("GET /mcp HTTP/1.1", "", "Authorization: Bearer "+s.mint(setClaim("exp", 1))), answers: one(unnamed("expired"))})
}

func (s *site) schemes() []attack {
	good := s.mint()
	var out []attack
	for _, c := range []struct{ line, name, value, reason string }{
		{"A11", "bearer", "bearer " + good, ""},
		{"A11", "BEARER", "BEARER " + good, ""},
		{"A11", "many spaces", "Bearer    " + good, ""},
		{"A11", "a tab", "Bearer\t" + good, "malformed_token"},
		{"A11", "a space and a tab", "Bearer \t" + good, "malformed_token"},
		{"A11", "no space", "Bearer" + good, "missing_token"},
		{"A11", "colon", "Bearer: " + good, "malformed_token"},
		{"A11", "equals", "Bearer=" + good, "malformed_token"},
		{"A11", "only the scheme", "Bearer", "malformed_token"},
		{"A11", "only the scheme and spaces", "Bearer   ", "malformed_token"},
		{"A11", "the scheme twice", "Bearer Bearer " + good, "malformed_token"},
		{"A11", "token as a parameter", `Bearer token="` + good + `"`, "malformed_token"},
		{"A11", "token and a parameter", "Bearer " + good + ", realm=x", "malformed_token"},
		{"A11", "two tokens in a list", "Bearer " + good + ", Bearer " + good, "malformed_token"},
		{"A11", "token behind a comma", "Basic eDp5, Bearer " + good, "missing_token"},
		{"A11", "token behind a comma and nothing", ", Bearer " + good, "missing_token"},
		{"A11", "a longer scheme", "Bearer2 " + good, "missing_token"},
		{"A11", "a scheme beyond ASCII", "B\u0435arer " + good, "missing_token"},
		{"A11", "a Kelvin sign for a letter", "Bea\u212aer " + good, "missing_token"},
		{"A14", "empty", "", "missing_token"},
		{"A14", "the token alone", good, "missing_token"},
		{"A14", "Basic", "Basic YWxpY2U6c2VjcmV0", "missing_token"},
		{"A14", "Basic with the token", "Basic " + good, "missing_token"},
		{"A14", "Digest", `Digest username="alice"`, "missing_token"},
		{"A14", "DPoP", "DPoP " + good, "missing_token"},
		{"A14", "Negotiate", "Negotiate YII=", "missing_token"},
		{"A14", "MAC", "MAC id=1", "missing_token"},
	} {
		want := serve()
		if c.reason != "" {
			want = refuse(c.reason)
		}
		out = append(out, attack{line: c.line, name: c.name, raw: authorized("Authorization: " + c.value), answers: one(want)})
	}
	return out
}

func (s *site) twoTokens() []attack {
	good, bad := "Authorization: Bearer "+s.mint(), "Authorization: Bearer "+s.mint(setClaim("exp", 1))
	two := one(refuse("ambiguous_header"))
	return []attack{
		{line: "H10", name: "good and bad", raw: authorized(good, bad), answers: two},
		{line: "H10", name: "bad and good", raw: authorized(bad, good), answers: two},
		{line: "H10", name: "good twice", raw: authorized(good, good), answers: two},
		{line: "H10", name: "good and Basic", raw: authorized(good, "Authorization: Basic eDp5"), answers: two},
		{line: "H10", name: "empty and good", raw: authorized("Authorization:", good), answers: two},
		{line: "H10", name: "good and good in another case", raw: authorized(good, strings.Replace(good, "Auth", "AUTH", 1)), answers: two},
		{line: "H10", name: "good and bad at the end", raw: authorized(good, "X: y", "X: z", bad), answers: two},
		{line: "H10", name: "folded behind the scheme", raw: authorized("Authorization: Bearer\r\n " + s.mint()), answers: one(serve())},
		{line: "H10", name: "folded inside the token", raw: authorized(strings.Replace(good, ".", "\r\n .", 1)), answers: one(refuse("malformed_token"))},
		{line: "H10", name: "folded, a second header inside", raw: authorized(bad + "\r\n " + good), answers: one(refuse("malformed_token"))},
	}
}

func (s *site) elsewhere() []attack {
	good := s.mint()
	form := "access_token=" + good
	missing := one(refuse("missing_token"))
	query := func(query string, fields ...string) string {
		return rawRequest("POST /mcp?"+query+" HTTP/1.1", ping, append(fields, "Content-Type: application/json")...)
	}
	return []attack{
		{line: "A10", name: "in the query", raw: query(form), answers: missing},
		{line: "A10", name: "in the query, escaped", raw: query("%61ccess_token=" + good), answers: missing},
		{line: "A10", name: "in the query, in other case", raw: query("ACCESS_TOKEN=" + good), answers: missing},
		{line: "A10", name: "in the query, another name", raw: query("token=" + good + "&jwt=" + good + "&authorization=Bearer%20" + good), answers: missing},
		{line: "A10", name: "in a form", raw: rawRequest("POST /mcp HTTP/1.1", form, "Content-Type: application/x-www-form-urlencoded"), answers: one(unnamed("missing_token"))},
		{line: "A10", name: "in a cookie", raw: authorized("Cookie: access_token=" + good + "; Authorization=" + good), answers: missing},
		{line: "A10", name: "in other headers", raw: authorized("X-Authorization: Bearer "+good, "Proxy-Authorization: Bearer "+good, "X-Access-Token: "+good, "Authorization2: Bearer "+good), answers: missing},
		{line: "A10", name: "in a header of another spelling", raw: authorized("Authorizat\u0131on: Bearer " + good), answers: one(golang(400, "400 Bad Request"))},
		{line: "A10", name: "for a proxy that forwards", raw: authorized("X-Forwarded-Authorization: Bearer "+good, "X-Original-Authorization: Bearer "+good), answers: missing},
		{line: "A10", name: "in the target's user", raw: rawRequest("POST http://x:"+good+"@"+host+"/mcp HTTP/1.1", ping), answers: one(refuse("bad_target").saying(foreignTarget))},
		{line: "A10", name: "in query and header", raw: query("a=1&access_token="+good+"&b=2", "Authorization: Bearer "+good), answers: one(serve()),
			seen: func(r *http.Request) string {
				return differs("query at the server", r.URL.RawQuery, "a=1&b=2")
			}},
		{line: "A9", name: "the token stays here", raw: post(good, ping), answers: one(serve()), seen: func(r *http.Request) string {
			return differs("Authorization at the server", r.Header.Get("Authorization"), "")
		}},
		{line: "A9", name: "the token stays here, also when Connection names it", raw: post(good, ping, "Connection: Authorization"), answers: one(serve()),
			seen: func(r *http.Request) string {
				return differs("Authorization at the server", r.Header.Get("Authorization"), "")
			}},
	}
}

func differs(what, got, want string) string {
	if got == want {
		return ""
	}
	return what + ": " + got + ", want " + want
}

// perRequest: a connection has no rights.
func (s *site) perRequest() []attack {
	good, none, malformed := post(s.mint(), ping), post("", ping), post("x", ping)
	expired := post(s.mint(setClaim("exp", 1)), ping)
	return []attack{
		{
			line: "A1", name: "good, none, good, malformed on one connection", raw: good + none + good + malformed,
			answers: []answer{serve(), refuse("missing_token"), serve(), refuse("malformed_token")},
		},
		{
			line: "A1", name: "good, then one that rides on it", raw: good + expired,
			answers: []answer{serve(), refuse("expired")},
		},
		{
			line: "A1", name: "the same bad token twice, then a good one", raw: expired + expired + good,
			answers: []answer{refuse("expired"), refuse("expired"), serve()},
		},
		{
			line: "A1", name: "a good token, then the same with another signature", raw: good + post(tampered(s.mint()), ping),
			answers: []answer{serve(), refuse("bad_signature")},
		},
	}
}

func tampered(token string) string {
	signed, raw, _ := cutLast(token)
	return signed + "." + flip(raw, 3)
}

// ids: the answer is to the request that was sent, as far as that can be read without trusting it.
func (s *site) ids() []attack {
	var out []attack
	for _, c := range []struct{ name, body, id string }{
		{"number", `{"id":12}`, `12`},
		{"text", `{"jsonrpc":"2.0","id":"a-1"}`, `"a-1"`},
		{"text with an escape", `{"id":"a\"b"}`, `"a\"b"`},
		{"fraction", `{"id":1.5}`, `1.5`},
		{"behind the rest", `{"params":{"id":1},"id":2}`, `2`},
		{"null", `{"id":null}`, `null`},
		{"true", `{"id":true}`, `null`},
		{"object", `{"id":{"a":1}}`, `null`},
		{"long", `{"id":"` + strings.Repeat("x", 200) + `"}`, `null`},
		{"no JSON", `id: 7`, `null`},
		{"in other case", `{"ID":7}`, `null`},
		{"behind 64 KiB", `{"x":"` + strings.Repeat("x", 70<<10) + `","id":7}`, `null`},
		{"markup", `{"id":"<script>"}`, "\"\\u003cscript\\u003e\""},
	} {
		out = append(out, attack{line: "H12", name: "id: " + c.name, raw: post("", c.body), answers: one(refuse("missing_token").withID(c.id))})
	}
	return out
}
