package attack

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/authproxy"
)

// framed is an attack over HTTP/2.
type framed struct {
	line, name string
	fields     []field
	body       string
	trailers   []field
	// want is the answer; reset: net/http refuses the stream or gives up the connection, whatever the server got of it.
	want  answer
	reset bool
	seen  func(*http.Request) string
}

// The server reads HTTP/1.1: nothing of a request over HTTP/2 may become another request there.
func TestHTTP2(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(c *authproxy.Config) {
		bound(c)
		c.TLS = true
		c.Upstream.ExtraPaths = []string{"/files"}
		c.Upstream.ClaimHeaders = []authproxy.ClaimHeader{{Header: "X-User", Claim: "sub"}}
	})
	s.tryHTTP2(t, s.requestLines())
	s.tryHTTP2(t, s.authorities())
	s.tryHTTP2(t, s.fields())
	s.tryHTTP2(t, s.behindTheBody())
}

// tryHTTP2 runs each case on a connection of its own.
func (s *site) tryHTTP2(t *testing.T, table []framed) {
	t.Helper()
	for _, f := range table {
		err := s.askHTTP2(f)
		if err != nil {
			t.Errorf("%s %s: %v", f.line, f.name, err)
		}
		totals.count(attack{line: f.line, name: f.name, answers: one(f.want)}, err)
	}
}

func (s *site) askHTTP2(f framed) error {
	before := s.server.visits.Load()
	c, err := dialHTTP2(s.address)
	if err != nil {
		return err
	}
	defer c.Close()
	response, body, err := c.ask(f.fields, f.body, f.trailers)
	reached := int(s.server.visits.Load() - before)
	refused := errors.Is(err, errStreamReset) || errors.Is(err, errGoneAway)
	switch {
	case f.reset && refused && (reached == 0 || f.trailers != nil):
		return nil
	case f.reset:
		return errors.New("the stream was not refused")
	case err != nil:
		return err
	case (reached == 1) != f.want.served:
		return errors.New("requests at the server: " + http.StatusText(response.StatusCode) + " " + body)
	}
	f.want.proto = "HTTP/2.0"
	if problem := f.want.compare(s, response, body); problem != "" {
		return errors.New(problem)
	}
	if f.seen != nil {
		if problem := f.seen(s.server.last.Load()); problem != "" {
			return errors.New(problem)
		}
	}
	return nil
}

// two is a request over HTTP/2 with a good token.
func (s *site) two(method, path, authority string, more ...field) []field {
	return append([]field{
		{":method", method}, {":scheme", "https"}, {":path", path}, {":authority", authority},
		{"authorization", "Bearer " + s.mint()}, {"content-type", "application/json"},
	}, more...)
}

// requestLines: net/http takes any text for a method and a path, and HTTP/1.1 makes a line of both.
func (s *site) requestLines() []framed {
	var out []framed
	method, target := refuse("bad_target").saying("the method is not allowed here").withID("null"),
		refuse("bad_target").saying("the target must be visible ASCII without a fragment: escape everything else").withID("null")
	for _, text := range []string{
		"POST /mcp HTTP/1.1", "POST /admin HTTP/1.1\tX:", "GET ", " GET", "GET\t", "GE T", "P\u00d6ST", "POST:", "POST,GET", "(POST)", `"POST"`, "POST/mcp", "POST\u00a0", "CONNECT", "TRACE",
	} {
		fields := s.two(text, "/files", host)
		out = append(out, framed{line: "H3", name: "method " + text, fields: fields, want: method, reset: text == "CONNECT"})
	}
	for _, path := range []string{
		"/mcp?x HTTP/1.0", "/mcp HTTP/1.1", "/files x", "/mcp?x y", "/mcp?\u00e9", "/m\u00e7p", "/mcp#x", "/mcp?x#y", "/files?a=\u2028b", "/mcp ", "/mcp?a\u00a0HTTP/1.0",
	} {
		out = append(out, framed{line: "T19", name: "path " + path, fields: s.two("GET", path, host), want: target})
	}
	plain := refuse("bad_target").withID("null")
	for _, path := range []string{"/mcp\\", "/mcp{x}", "/mcp;x", "//mcp", "/mcp/../files", "/mcp%2f", "/mcp|x", `/mcp"`, "*"} {
		out = append(out, framed{line: "T19", name: "path " + path, fields: s.two("GET", path, host), want: plain})
	}
	slash := refuse("bad_target").saying("the path must begin with a slash").withID("null")
	for _, path := range []string{"http:" + host, "http://" + host + "/mcp", "https://evil.example/mcp"} {
		out = append(out, framed{line: "T19", name: "path " + path, fields: s.two("GET", path, host), want: slash})
	}
	for _, path := range []string{"mcp", "/mcp\t", "/mcp?a\tb", "/mcp\r\nX: y", "/mcp\x00", "/%zz", "", "mailto:x"} {
		// These net/http knows by itself, or takes for a URL without a host.
		out = append(out, framed{line: "T19", name: "path " + path, fields: s.two("GET", path, host), reset: path != "mailto:x", want: slash})
	}
	token := s.two("M-SEARCH!", "/files?x=%20&y", host)
	return append(out,
		framed{line: "H3", name: "a method like any other", fields: token, want: serve(), seen: func(r *http.Request) string {
			return differs("request at the server", r.Method+" "+r.RequestURI, "M-SEARCH! /files?x=%20&y")
		}})
}

func (s *site) authorities() []framed {
	var out []framed
	wrong := unnamed("wrong_host")
	for _, authority := range []string{
		host + ":80 evil.example", host + ":80/", host + ":x", host + ":-1", host + ":123456", host + "/", host + "?x", host + " ", "[::1%evil.example]", "[fe80::1%25eth0]:80", host + "\tevil",
		host + ":80\\x", "localhost:80,evil.example",
	} {
		want := wrong
		out = append(out, framed{line: "T14", name: "authority " + authority, fields: s.two("GET", "/mcp", authority), want: want})
	}
	pseudo := func(name, value string) []field {
		var fields []field
		for _, f := range s.two("GET", "/mcp", host) {
			if f.name == name {
				f.value = value
			}
			fields = append(fields, f)
		}
		return fields
	}
	front := func(f field) []field { return append([]field{f}, s.two("GET", "/mcp", host)...) }
	other := refuse("ambiguous_header").saying("the Host header is not the authority").withID("null")
	return append(out,
		framed{line: "T14", name: "authority with a user", fields: s.two("GET", "/mcp", "x@"+host), reset: true},
		framed{line: "T14", name: "a Host beside it", fields: s.two("GET", "/mcp", host, field{"host", "evil.example"}), want: other},
		framed{line: "T14", name: "two Hosts beside it", fields: s.two("GET", "/mcp", host, field{"host", host}, field{"host", host}), want: other.saying("more than one Host header")},
		framed{line: "T14", name: "the same Host beside it", fields: s.two("GET", "/mcp", host, field{"host", host}), want: serve()},
		framed{line: "T15", name: "a scheme that is not the connection's", fields: pseudo(":scheme", "http"), want: serve(), seen: says("X-Forwarded-Proto", "https")},
		framed{line: "H10", name: "another scheme", fields: pseudo(":scheme", "ftp"), reset: true},
		framed{line: "H10", name: "a scheme with a space", fields: pseudo(":scheme", "https x"), reset: true},
		framed{line: "T20", name: "extended CONNECT", fields: append([]field{{":protocol", "websocket"}}, pseudo(":method", "CONNECT")...), reset: true},
		framed{line: "T20", name: "extended GET", fields: front(field{":protocol", "websocket"}), reset: true},
		framed{line: "H10", name: "two paths", fields: front(field{":path", "/admin"}), reset: true},
		framed{line: "H10", name: "two methods", fields: front(field{":method", "DELETE"}), reset: true},
		framed{line: "H10", name: "an unknown pseudo-header", fields: front(field{":session", "x"}), reset: true},
		framed{line: "H10", name: "a status", fields: front(field{":status", "200"}), reset: true},
		framed{line: "H10", name: "a pseudo-header behind the others", fields: s.two("GET", "/mcp", host, field{":path", "/admin"}), reset: true})
}

func (s *site) fields() []framed {
	post := func(more ...field) []field { return s.two("POST", "/mcp", host, more...) }
	spaced := refuse("ambiguous_header").saying("a header begins or ends with a space")
	out := []framed{
		{line: "T7", name: "two parameters of one name", fields: post(field{"mcp-param-city", "a"}, field{"mcp-param-city", "b"}), body: ping, want: refuse("ambiguous_header").saying("more than one header of one Mcp name")},
		{line: "T7", name: "two places to go on", fields: post(field{"last-event-id", "1"}, field{"last-event-id", "2"}), body: ping, want: refuse("ambiguous_header").saying("more than one Last-Event-Id header")},
		{line: "S2", name: "twin with an underscore", fields: post(field{"mcp_session_id", sessionOfTheServer}), body: ping, want: serve(), seen: nowhere(sessionOfTheServer)},
		{line: "A9", name: "who asks, with an underscore", fields: post(field{"x_user", "mallory"}), body: ping, want: serve(), seen: nowhere("mallory")},
		{line: "T15", name: "TE", fields: post(field{"te", "trailers"}), body: ping, want: serve(), seen: says("Te", "")},
	}
	for _, value := range []string{"2026-07-28 ", " 2026-07-28", "2026-07-28\t"} {
		out = append(out, framed{line: "S2", name: "revision " + value, fields: post(field{"mcp-protocol-version", value}, field{"mcp-session-id", "x"}), body: ping, want: spaced})
	}
	for _, name := range []string{"mcp-method", "content-type", "x-any", "mcp-session-id"} {
		fields := []field{}
		for _, f := range post() {
			if f.name != name {
				fields = append(fields, f)
			}
		}
		out = append(out, framed{line: "T7", name: "space behind " + name, fields: append(fields, field{name, "ping "}), body: ping, want: spaced})
	}
	for _, f := range []field{
		{"connection", "mcp-session-id"}, {"transfer-encoding", "chunked"}, {"keep-alive", "x"}, {"upgrade", "h2c"}, {"proxy-connection", "x"}, {"te", "gzip"},
	} {
		out = append(out, framed{line: "H10", name: "header " + f.name + " " + f.value, fields: post(f), body: ping, want: golang(400, http2Refusal(f.name))})
	}
	for _, f := range []field{
		{"Mcp-Session-Id", "x"}, {"x y", "z"}, {"x:y", "z"}, {"", "z"}, {"x\r\ny", "z"}, {"x", "a\r\nX-User: mallory"}, {"x", "a\x00"}, {"x\x00", "y"}, {"x", "a\nb"}, {"x", "a\x7f"},
	} {
		out = append(out, framed{line: "H10", name: "field " + f.name + ": " + f.value, fields: post(f), body: ping, reset: true})
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
	post := func(more ...field) []field { return s.two("POST", "/mcp", host, more...) }
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
			framed{line: "S2", name: "trailer " + name, fields: post(field{"trailer", name}), body: ping, trailers: []field{{name, "mallory"}}, want: serve(), reset: known, seen: plain},
			framed{line: "S2", name: "trailer " + name + ", not announced", fields: post(), body: ping, trailers: []field{{name, "mallory"}}, want: serve(), seen: plain})
	}
	return append(out,
		framed{line: "H10", name: "pseudo-header behind the body", fields: post(), body: ping, trailers: []field{{":path", "/admin"}}, reset: true},
		framed{line: "H10", name: "shorter than its length", fields: post(field{"content-length", "41"}), body: ping, want: unnamed("bad_body"), reset: true},
		framed{line: "H10", name: "longer than its length", fields: post(field{"content-length", "2"}), body: ping, reset: true},
		framed{line: "H10", name: "a body that is a request", fields: post(), body: ping + "\r\nGET /admin HTTP/1.1\r\nHost: x\r\n\r\n", want: serve()})
}
