package attack

import (
	"net/http"
	"strings"
)

func (s *site) fields() []framed {
	postFields := func(more ...field) []field { return s.two("POST", "/mcp", host, more...) }
	spaced := refuse("ambiguous_header").saying("a header begins or ends with a space")
	out := []framed{
		{line: "T7", name: "two parameters of one name", fields: postFields(field{"mcp-param-city", "a"}, field{"mcp-param-city", "b"}), body: ping, want: refuse("ambiguous_header").saying("more than one header of one Mcp name")},
		{line: "T7", name: "two places to go on", fields: postFields(field{"last-event-id", "1"}, field{"last-event-id", "2"}), body: ping, want: refuse("ambiguous_header").saying("more than one Last-Event-Id header")},
		{line: "S2", name: "twin with an underscore", fields: postFields(field{"mcp_session_id", sessionOfTheServer}), body: ping, want: serve(), seen: nowhere(sessionOfTheServer)},
		{line: "A9", name: "who asks, with an underscore", fields: postFields(field{"x_user", "mallory"}), body: ping, want: serve(), seen: nowhere("mallory")},
		{line: "T15", name: "TE", fields: postFields(field{"te", "trailers"}), body: ping, want: serve(), seen: says("Te", "")},
	}
	for _, value := range []string{"2026-07-28 ", " 2026-07-28", "2026-07-28\t"} {
		out = append(out, framed{line: "S2", name: "revision " + value, fields: postFields(field{"mcp-protocol-version", value}, field{"mcp-session-id", "x"}), body: ping, want: spaced})
	}
	for _, name := range []string{"mcp-method", "content-type", "x-any", "mcp-session-id"} {
		fields := []field{}
		for _, f := range postFields() {
			if f.name != name {
				fields = append(fields, f)
			}
		}
		out = append(out, framed{line: "T7", name: "space behind " + name, fields: append(fields, field{name, "ping "}), body: ping, want: spaced})
	}
	for _, f := range []field{
		{"connection", "mcp-session-id"}, {"transfer-encoding", "chunked"}, {"keep-alive", "x"}, {"upgrade", "h2c"}, {"proxy-connection", "x"}, {"te", "gzip"},
	} {
		out = append(out, framed{line: "H10", name: "header " + f.name + " " + f.value, fields: postFields(f), body: ping, want: golang(400, http2Refusal(f.name))})
	}
	for _, f := range []field{
		{"Mcp-Session-Id", "x"}, {"x y", "z"}, {"x:y", "z"}, {"", "z"}, {"x\r\ny", "z"}, {"x", "a\r\nX-User: mallory"}, {"x", "a\x00"}, {"x\x00", "y"}, {"x", "a\nb"}, {"x", "a\x7f"},
	} {
		out = append(out, framed{line: "H10", name: "field " + f.name + ": " + f.value, fields: postFields(f), body: ping, reset: true})
	}
	return out
}

// http2Refusal is what net/http says of a header that HTTP/2 has no place for.
func http2Refusal(name string) string {
	if name == "te" {
		return `request header "TE" may only be "trailers" in HTTP/2` + "\n"
	}
	return `request header "` + http.CanonicalHeaderKey(name) + `" is not valid in HTTP/2` + "\n"
}

func (s *site) behindTheBody() []framed {
	postFields := func(more ...field) []field { return s.two("POST", "/mcp", host, more...) }
	plain := func(r *http.Request) string {
		for _, header := range []http.Header{r.Header, r.Trailer} {
			for name, values := range header {
				if strings.Contains(strings.Join(values, " "), "mallory") {
					return "the server sees " + name
				}
			}
		}
		return differs("trailers at the server", r.Header.Get("Trailer"), "")
	}
	var out []framed
	for _, name := range []string{"mcp-session-id", "mcp-method", "authorization", "x-user", "x-request-id", "content-type", "x-any"} {
		known := name == "authorization" || name == "content-type" // net/http knows by itself that these do not trail.
		out = append(out,
			framed{line: "S2", name: "trailer " + name, fields: postFields(field{"trailer", name}), body: ping, trailers: []field{{name, "mallory"}}, want: serve(), reset: known, seen: plain},
			framed{line: "S2", name: "trailer " + name + ", not announced", fields: postFields(), body: ping, trailers: []field{{name, "mallory"}}, want: serve(), seen: plain})
	}
	return append(out,
		framed{line: "H10", name: "pseudo-header behind the body", fields: postFields(), body: ping, trailers: []field{{":path", "/admin"}}, reset: true},
		framed{line: "H10", name: "shorter than its length", fields: postFields(field{"content-length", "41"}), body: ping, want: unnamed("bad_body"), reset: true},
		framed{line: "H10", name: "longer than its length", fields: postFields(field{"content-length", "2"}), body: ping, reset: true},
		framed{line: "H10", name: "a body that is a request", fields: postFields(), body: ping + "\r\nGET /admin HTTP/1.1\r\nHost: x\r\n\r\n", want: serve()})
}
