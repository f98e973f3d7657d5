package requestcheck_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/requestcheck"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
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
		want                    gateapi.Reason
	}{
		{"POST", "/mcp", "localhost", ""}, {"BREW", "/files/a%20b", "localhost:8080", ""}, {"POST", "/mcp?a={b}|\"c\"", "localhost", ""},
		{"M!#$%&'*+-.^_`|~9", "/mcp", "localhost", ""},
		{"POST /mcp HTTP/1.1", "/files", "localhost", gateapi.ReasonBadTarget}, {"POST\t", "/mcp", "localhost", gateapi.ReasonBadTarget}, {"", "/mcp", "localhost", gateapi.ReasonBadTarget},
		{"POST:", "/mcp", "localhost", gateapi.ReasonBadTarget}, {"P\u00d6ST", "/mcp", "localhost", gateapi.ReasonBadTarget}, {"CONNECT", "/mcp", "localhost", gateapi.ReasonBadTarget},
		{"POST", "/mcp?x HTTP/1.0", "localhost", gateapi.ReasonBadTarget}, {"POST", "/mcp x", "localhost", gateapi.ReasonBadTarget}, {"POST", "/mcp?x\t", "localhost", gateapi.ReasonBadTarget},
		{"POST", "/mcp#x", "localhost", gateapi.ReasonBadTarget}, {"POST", "/mcp?a#b", "localhost", gateapi.ReasonBadTarget}, {"POST", "/mcp?\u00e9", "localhost", gateapi.ReasonBadTarget},
		{"POST", "/m\u00e7p", "localhost", gateapi.ReasonBadTarget}, {"POST", "/mcp{x}", "localhost", gateapi.ReasonBadTarget}, {"POST", "/mcp?\x7f", "localhost", gateapi.ReasonBadTarget},
		{"POST", "http://localhost/mcp", "localhost", gateapi.ReasonBadTarget}, {"POST", "*", "localhost", gateapi.ReasonBadTarget}, {"POST", "mcp", "localhost", gateapi.ReasonBadTarget},
		{"POST", "/mcp", "localhost:80 evil", gateapi.ReasonWrongHost}, {"POST", "/mcp", "localhost:80/x", gateapi.ReasonWrongHost}, {"POST", "/mcp", "localhost:80?x", gateapi.ReasonWrongHost},
		{"POST", "/mcp", "localhost:", ""}, {"POST", "/mcp", "localhost:123456", gateapi.ReasonWrongHost}, {"POST", "/mcp", "localhost:http", gateapi.ReasonWrongHost},
		{"POST", "/mcp", "localhost:+80", gateapi.ReasonWrongHost}, {"POST", "/mcp", "[::1%evil.example]:80", gateapi.ReasonWrongHost}, {"POST", "/mcp", "[fe80::1%25eth0]", gateapi.ReasonWrongHost},
		{"POST", "/mcp", "fe80::1%/evil", gateapi.ReasonWrongHost}, {"POST", "/mcp", "localhost evil", gateapi.ReasonWrongHost}, {"POST", "/mcp", "", gateapi.ReasonWrongHost},
	} {
		if got := reason(requestcheck.Check(two(c.method, c.path, c.authority, nil), config)); got != c.want {
			t.Errorf("%q %q %q: got %q, want %q", c.method, c.path, c.authority, got, c.want)
		}
	}
}

func TestHeadersOverHTTP2(t *testing.T) {
	for name, c := range map[string]struct {
		header http.Header
		want   gateapi.Reason
	}{
		"usual":             {http.Header{"Accept": {"a b", ""}, "Host": {"localhost"}}, ""},
		"space behind":      {http.Header{"Mcp-Protocol-Version": {"2026-07-28 "}}, gateapi.ReasonAmbiguousHeader},
		"space before":      {http.Header{"X-Any": {" x"}}, gateapi.ReasonAmbiguousHeader},
		"tab behind":        {http.Header{"X-Any": {"a", "x\t"}}, gateapi.ReasonAmbiguousHeader},
		"blank":             {http.Header{"X-Any": {" "}}, gateapi.ReasonAmbiguousHeader},
		"another Host":      {http.Header{"Host": {"evil.example"}}, gateapi.ReasonAmbiguousHeader},
		"two Hosts":         {http.Header{"Host": {"localhost", "localhost"}}, gateapi.ReasonAmbiguousHeader},
		"two of MCP's":      {http.Header{"Mcp-Param-City": {"a", "b"}}, gateapi.ReasonAmbiguousHeader},
		"two of where":      {http.Header{"Last-Event-Id": {"1", "2"}}, gateapi.ReasonAmbiguousHeader},
		"two lists":         {http.Header{"Accept": {"a", "b"}, "Cookie": {"a", "b"}}, ""},
		"two of some other": {http.Header{"X-Any": {"a", "b"}}, ""},
	} {
		if got := reason(requestcheck.Check(two("POST", "/mcp", "localhost", c.header), config)); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

func TestConnectionOptions(t *testing.T) {
	for connection, want := range map[string]gateapi.Reason{
		"close": "", "keep-alive": "", "Keep-Alive, close": "", "Upgrade, HTTP2-Settings": "", "TE": "", "X-Any": "", "": "", ", ,": "",
		// These are the gate's alone, or do not pass anyway: it matters to nobody.
		"X-Forwarded-For": "", "X-User": "", "Authorization": "", "Origin": "", "Cookie": "", "Gatehouse-X": "", "User-Agent": "",
		"Mcp-Session-Id": gateapi.ReasonAmbiguousHeader, "close, mcp-session-id": gateapi.ReasonAmbiguousHeader, "Mcp_Session_Id": gateapi.ReasonAmbiguousHeader, ",\tMCP-METHOD ,": gateapi.ReasonAmbiguousHeader,
		"Mcp-Name": gateapi.ReasonAmbiguousHeader, "Mcp-Protocol-Version": gateapi.ReasonAmbiguousHeader, "Mcp-Param-X": gateapi.ReasonAmbiguousHeader, "X-Request-Id": gateapi.ReasonAmbiguousHeader,
		"Content-Type": gateapi.ReasonAmbiguousHeader, "Content-Length": gateapi.ReasonAmbiguousHeader, "Content-Encoding": gateapi.ReasonAmbiguousHeader, "Accept": gateapi.ReasonAmbiguousHeader,
		"Host": gateapi.ReasonAmbiguousHeader, "Last-Event-ID": gateapi.ReasonAmbiguousHeader,
	} {
		header := http.Header{"Connection": {"keep-alive", connection}}
		if got := reason(requestcheck.Check(request(http.MethodPost, "/mcp", header), config)); got != want {
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
		if n := testing.AllocsPerRun(100, func() { requestcheck.Check(r, config) }); n > 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}
