package surface_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/deny"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/surface"
)

// two is a request as net/http makes it of HTTP/2: any text may be the method, the path and the authority.
func two(method, path, authority string, header http.Header) *http.Request {
	if header == nil {
		header = http.Header{}
	}
	r := &http.Request{
		Method: method, RequestURI: path, Host: authority, Header: header, ProtoMajor: 2, Proto: "HTTP/2.0", Body: http.NoBody,
	}
	if r.URL, _ = url.ParseRequestURI(path); r.URL == nil {
		r.URL = &url.URL{}
	}
	return r
}

func TestRequestLineOverHTTP2(t *testing.T) {
	for _, c := range []struct {
		method, path, authority string
		want                    deny.Reason
	}{
		{"POST", "/mcp", "localhost", ""}, {"BREW", "/files/a%20b", "localhost:8080", ""}, {"POST", "/mcp?a={b}|\"c\"", "localhost", ""},
		{"M!#$%&'*+-.^_`|~9", "/mcp", "localhost", ""},
		{"POST /mcp HTTP/1.1", "/files", "localhost", deny.BadTarget}, {"POST\t", "/mcp", "localhost", deny.BadTarget}, {"", "/mcp", "localhost", deny.BadTarget},
		{"POST:", "/mcp", "localhost", deny.BadTarget}, {"P\u00d6ST", "/mcp", "localhost", deny.BadTarget}, {"CONNECT", "/mcp", "localhost", deny.BadTarget},
		{"POST", "/mcp?x HTTP/1.0", "localhost", deny.BadTarget}, {"POST", "/mcp x", "localhost", deny.BadTarget}, {"POST", "/mcp?x\t", "localhost", deny.BadTarget},
		{"POST", "/mcp#x", "localhost", deny.BadTarget}, {"POST", "/mcp?a#b", "localhost", deny.BadTarget}, {"POST", "/mcp?\u00e9", "localhost", deny.BadTarget},
		{"POST", "/m\u00e7p", "localhost", deny.BadTarget}, {"POST", "/mcp{x}", "localhost", deny.BadTarget}, {"POST", "/mcp?\x7f", "localhost", deny.BadTarget},
		{"POST", "http://localhost/mcp", "localhost", deny.BadTarget}, {"POST", "*", "localhost", deny.BadTarget}, {"POST", "mcp", "localhost", deny.BadTarget},
		{"POST", "/mcp", "localhost:80 evil", deny.WrongHost}, {"POST", "/mcp", "localhost:80/x", deny.WrongHost}, {"POST", "/mcp", "localhost:80?x", deny.WrongHost},
		{"POST", "/mcp", "localhost:", ""}, {"POST", "/mcp", "localhost:123456", deny.WrongHost}, {"POST", "/mcp", "localhost:http", deny.WrongHost},
		{"POST", "/mcp", "localhost:+80", deny.WrongHost}, {"POST", "/mcp", "[::1%evil.example]:80", deny.WrongHost}, {"POST", "/mcp", "[fe80::1%25eth0]", deny.WrongHost},
		{"POST", "/mcp", "fe80::1%/evil", deny.WrongHost}, {"POST", "/mcp", "localhost evil", deny.WrongHost}, {"POST", "/mcp", "", deny.WrongHost},
	} {
		if got := reason(surface.Check(two(c.method, c.path, c.authority, nil), config)); got != c.want {
			t.Errorf("%q %q %q: got %q, want %q", c.method, c.path, c.authority, got, c.want)
		}
	}
}

func TestHeadersOverHTTP2(t *testing.T) {
	for name, c := range map[string]struct {
		header http.Header
		want   deny.Reason
	}{
		"usual":             {http.Header{"Accept": {"a b", ""}, "Host": {"localhost"}}, ""},
		"space behind":      {http.Header{"Mcp-Protocol-Version": {"2026-07-28 "}}, deny.AmbiguousHeader},
		"space before":      {http.Header{"X-Any": {" x"}}, deny.AmbiguousHeader},
		"tab behind":        {http.Header{"X-Any": {"a", "x\t"}}, deny.AmbiguousHeader},
		"blank":             {http.Header{"X-Any": {" "}}, deny.AmbiguousHeader},
		"another Host":      {http.Header{"Host": {"evil.example"}}, deny.AmbiguousHeader},
		"two Hosts":         {http.Header{"Host": {"localhost", "localhost"}}, deny.AmbiguousHeader},
		"two of MCP's":      {http.Header{"Mcp-Param-City": {"a", "b"}}, deny.AmbiguousHeader},
		"two of where":      {http.Header{"Last-Event-Id": {"1", "2"}}, deny.AmbiguousHeader},
		"two lists":         {http.Header{"Accept": {"a", "b"}, "Cookie": {"a", "b"}}, ""},
		"two of some other": {http.Header{"X-Any": {"a", "b"}}, ""},
	} {
		if got := reason(surface.Check(two("POST", "/mcp", "localhost", c.header), config)); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

func TestConnectionOptions(t *testing.T) {
	for connection, want := range map[string]deny.Reason{
		"close": "", "keep-alive": "", "Keep-Alive, close": "", "Upgrade, HTTP2-Settings": "", "TE": "", "X-Any": "", "": "", ", ,": "",
		// These are the gate's alone, or do not pass anyway: it matters to nobody.
		"X-Forwarded-For": "", "X-User": "", "Authorization": "", "Origin": "", "Cookie": "", "Gatehouse-X": "", "User-Agent": "",
		"Mcp-Session-Id": deny.AmbiguousHeader, "close, mcp-session-id": deny.AmbiguousHeader, "Mcp_Session_Id": deny.AmbiguousHeader, ",\tMCP-METHOD ,": deny.AmbiguousHeader,
		"Mcp-Name": deny.AmbiguousHeader, "Mcp-Protocol-Version": deny.AmbiguousHeader, "Mcp-Param-X": deny.AmbiguousHeader, "X-Request-Id": deny.AmbiguousHeader,
		"Content-Type": deny.AmbiguousHeader, "Content-Length": deny.AmbiguousHeader, "Content-Encoding": deny.AmbiguousHeader, "Accept": deny.AmbiguousHeader,
		"Host": deny.AmbiguousHeader, "Last-Event-ID": deny.AmbiguousHeader,
	} {
		header := http.Header{"Connection": {"keep-alive", connection}}
		if got := reason(surface.Check(request(http.MethodPost, "/mcp", header), config)); got != want {
			t.Errorf("%q: got %q, want %q", connection, got, want)
		}
	}
}

// What every request goes through costs no memory.
func TestUsualRequestIsCheckedForNothing(t *testing.T) {
	header := http.Header{
		"Content-Type": {"application/json"}, "Accept": {"application/json, text/event-stream"}, "Mcp-Session-Id": {"x"}, "Mcp-Protocol-Version": {"2025-11-25"},
		"Connection": {"keep-alive"}, "User-Agent": {"node"}, "Authorization": {"Bearer x"},
	}
	one := request(http.MethodPost, "/mcp", header)
	over := two("POST", "/mcp", "localhost:8080", http.Header{"Accept": {"a"}, "Content-Type": {"b"}})
	for name, r := range map[string]*http.Request{"HTTP/1.1": one, "HTTP/2": over} {
		if n := testing.AllocsPerRun(100, func() { surface.Check(r, config) }); n > 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}
