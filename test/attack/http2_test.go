package attack

import (
	"errors"
	"net/http"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
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
	s := newSite(t, func(c *gateapi.Config) {
		bound(c)
		c.TLS = true
		c.Upstream.ExtraPaths = []string{"/files"}
		c.Upstream.ClaimHeaders = []gateapi.ClaimHeader{{Header: "X-User", Claim: "sub"}}
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
