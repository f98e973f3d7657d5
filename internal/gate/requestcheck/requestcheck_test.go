package requestcheck_test

import (
	"crypto/tls"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/deny"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/requestcheck"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

var config = gateapi.Config{
	AllowedHosts:   []string{"weather.tools.svc"},
	AllowedOrigins: []string{"https://app.example", "https://Other.example:8443"},
	Upstream:       gateapi.Upstream{Path: "/mcp", TrailingSlash: true, ExtraPaths: []string{"/files/a%20b"}},
}

func request(method, target string, header http.Header) *http.Request {
	r := httptest.NewRequest(method, "http://localhost/", http.NoBody)
	r.URL, _ = url.ParseRequestURI(target)
	if r.URL.Host != "" {
		r.Host = r.URL.Host
	} else {
		r.Host = "localhost"
	}
	if header != nil {
		r.Header = header
	}
	return r
}

func reason(denial *deny.Denial) gateapi.Reason {
	if denial == nil {
		return ""
	}
	return denial.Reason
}

func TestTargets(t *testing.T) {
	for target, want := range map[string]gateapi.Reason{
		"/mcp": "", "/mcp/": "", "/anything": "", "/a%20b": "", "/mcp?x=/../": "", "/..mcp": "", "/mcp...": "",
		"http://localhost/mcp": "", "http://weather.tools.svc:8080/mcp": "", "https://10.0.0.1/mcp": "",
		"http://evil.example/mcp": gateapi.ReasonBadTarget, "ftp://localhost/mcp": gateapi.ReasonBadTarget, "http://u@localhost/mcp": gateapi.ReasonBadTarget,
		"/mcp/..": gateapi.ReasonBadTarget, "/./mcp": gateapi.ReasonBadTarget, "//mcp": gateapi.ReasonBadTarget, "/mcp//": gateapi.ReasonBadTarget, "/mcp;a": gateapi.ReasonBadTarget,
		"/%2e%2E/mcp": gateapi.ReasonBadTarget, "/mcp%2F": gateapi.ReasonBadTarget, "/%5cmcp": gateapi.ReasonBadTarget, "/mcp%3Bx": gateapi.ReasonBadTarget,
		"/%252fmcp": gateapi.ReasonBadTarget, "/mcp%00": gateapi.ReasonBadTarget, "*": gateapi.ReasonBadTarget,
	} {
		if got := reason(requestcheck.Check(request(http.MethodGet, target, nil), config)); got != want {
			t.Errorf("%s: got %q, want %q", target, got, want)
		}
	}
	for _, method := range []string{http.MethodConnect, http.MethodTrace} {
		if got := reason(requestcheck.Check(request(method, "/mcp", nil), config)); got != gateapi.ReasonBadTarget {
			t.Errorf("%s: got %q", method, got)
		}
	}
}

func TestHosts(t *testing.T) {
	for host, want := range map[string]gateapi.Reason{
		"localhost": "", "LOCALHOST:1": "", "weather.tools.svc": "", "Weather.tools.svc.:80": "", "10.1.2.3:8080": "", "[::1]": "", "[fe80::1]:80": "",
		"": gateapi.ReasonWrongHost, "evil.example": gateapi.ReasonWrongHost, "weather.tools.svc.evil.example": gateapi.ReasonWrongHost, "localhost.evil.example": gateapi.ReasonWrongHost,
		"10.1.2.3.evil.example": gateapi.ReasonWrongHost, "weather": gateapi.ReasonWrongHost, "127.1": gateapi.ReasonWrongHost,
	} {
		r := request(http.MethodGet, "/mcp", nil)
		r.Host = host
		if got := reason(requestcheck.Check(r, config)); got != want {
			t.Errorf("%q: got %q, want %q", host, got, want)
		}
	}
}

func TestHeadersThatMustBeSingle(t *testing.T) {
	for _, name := range []string{"Content-Type", "Mcp-Session-Id", "Origin", "Mcp-Method", "Mcp-Name", "Mcp-Protocol-Version"} {
		for values, want := range map[string]gateapi.Reason{"a": "", "a a": gateapi.ReasonAmbiguousHeader, "a b": gateapi.ReasonAmbiguousHeader} {
			r := request(http.MethodPost, "/mcp", http.Header{name: strings.Fields(values)})
			if got := reason(requestcheck.Check(r, config)); got != want {
				t.Errorf("%s: %s: got %q, want %q", name, values, got, want)
			}
		}
	}
	// Elsewhere a list is a list.
	if got := requestcheck.Check(request(http.MethodPost, "/mcp", http.Header{"Accept": {"a/b", "c/d"}}), config); got != nil {
		t.Errorf("two Accept headers: %v", got)
	}
}

func TestOrigins(t *testing.T) {
	for origin, want := range map[string]gateapi.Reason{
		"https://app.example": "", "https://other.example:8443": "", "http://localhost": "", "https://localhost": "",
		"": gateapi.ReasonWrongOrigin, "null": gateapi.ReasonWrongOrigin, "http://app.example": gateapi.ReasonWrongOrigin, "https://app.example:444": gateapi.ReasonWrongOrigin,
		"https://app.example.evil": gateapi.ReasonWrongOrigin, "https://evil.app.example": gateapi.ReasonWrongOrigin, "https://app.example/": gateapi.ReasonWrongOrigin,
		"http://localhost:3000": gateapi.ReasonWrongOrigin, "http://u@localhost": gateapi.ReasonWrongOrigin, "http://localhost/x": gateapi.ReasonWrongOrigin,
		"http://localhost#x": gateapi.ReasonWrongOrigin, "ftp://localhost": gateapi.ReasonWrongOrigin, "*": gateapi.ReasonWrongOrigin,
	} {
		if got := reason(requestcheck.Origin(request(http.MethodPost, "/mcp", http.Header{"Origin": {origin}}), config)); got != want {
			t.Errorf("%q: got %q, want %q", origin, got, want)
		}
	}
	if got := requestcheck.Origin(request(http.MethodPost, "/mcp", nil), config); got != nil {
		t.Errorf("a program: %v", got)
	}
}

func TestAllowList(t *testing.T) {
	strict := config.Upstream
	strict.TrailingSlash = false
	for _, c := range []struct {
		method, path string
		upstream     gateapi.Upstream
		want         gateapi.Reason
	}{
		{"GET", "/mcp", config.Upstream, ""}, {"POST", "/mcp", config.Upstream, ""}, {"DELETE", "/mcp", config.Upstream, ""},
		{"HEAD", "/mcp", config.Upstream, gateapi.ReasonUnknownMethod}, {"OPTIONS", "/mcp", config.Upstream, gateapi.ReasonUnknownMethod},
		{"PUT", "/mcp/", config.Upstream, gateapi.ReasonUnknownMethod}, {"get", "/mcp", config.Upstream, gateapi.ReasonUnknownMethod},
		{"POST", "/mcp/", config.Upstream, ""}, {"POST", "/mcp/", strict, gateapi.ReasonUnknownPath},
		{"POST", "/MCP", config.Upstream, gateapi.ReasonUnknownPath}, {"POST", "/mc%70", config.Upstream, gateapi.ReasonUnknownPath}, {"POST", "/mcp/x", config.Upstream, gateapi.ReasonUnknownPath},
		{"POST", "/", config.Upstream, gateapi.ReasonUnknownPath}, {"GET", "/.well-known/oauth-protected-resource", config.Upstream, gateapi.ReasonUnknownPath},
		{"PATCH", "/files/a%20b", config.Upstream, ""}, {"HEAD", "/files/a%20b", config.Upstream, ""}, {"BREW", "/files/a%20b", config.Upstream, ""},
		{"GET", "/files/a%20b/", config.Upstream, gateapi.ReasonUnknownPath}, {"GET", "/files", config.Upstream, gateapi.ReasonUnknownPath}, {"GET", "/files/a%20b%20", config.Upstream, gateapi.ReasonUnknownPath},
	} {
		if got := reason(requestcheck.Endpoint(request(c.method, c.path, nil), c.upstream)); got != c.want {
			t.Errorf("%s %s: got %q, want %q", c.method, c.path, got, c.want)
		}
	}
}

func TestPreflight(t *testing.T) {
	asks := func(name, value string) http.Header {
		header := http.Header{"Origin": {"https://app.example"}, "Access-Control-Request-Method": {"POST"}}
		header[name] = []string{value}
		return header
	}
	withoutMethod := http.Header{"Origin": {"https://app.example"}}
	for name, c := range map[string]struct {
		method string
		header http.Header
		want   bool
	}{
		"preflight":           {"OPTIONS", asks("X-Any", "1"), true},
		"not OPTIONS":         {"POST", asks("X-Any", "1"), false},
		"another origin":      {"OPTIONS", asks("Origin", "https://evil.example"), false},
		"its own origin":      {"OPTIONS", asks("Origin", "http://localhost"), false},
		"no origin":           {"OPTIONS", asks("Origin", ""), false},
		"no requested method": {"OPTIONS", withoutMethod, false},
	} {
		if got := requestcheck.IsPreflight(request(c.method, "/mcp", c.header), config); got != c.want {
			t.Errorf("%s: got %t", name, got)
		}
	}
	r := request("OPTIONS", "/nowhere", asks("Access-Control-Request-Headers", "authorization,mcp-param-city, Mcp-Param-\u00fc, x-evil, mcp-a\r\nb, cookie"))
	w := httptest.NewRecorder()
	requestcheck.AnswerPreflight(w, r, config)
	got := w.Header()
	if w.Code != 204 || got.Get("Access-Control-Allow-Origin") != "https://app.example" || got.Get("Access-Control-Allow-Credentials") != "" ||
		got.Get("Access-Control-Allow-Methods") != "GET, POST, DELETE, HEAD, PUT, PATCH" ||
		got.Get("Vary") != "Origin" || len(got["Vary"]) != 3 {
		t.Errorf("%d %v", w.Code, got)
	}
	if allowed := got.Get("Access-Control-Allow-Headers"); !strings.HasPrefix(allowed, "Authorization, Content-Type, Accept, Last-Event-Id, Mcp-Session-Id, ") ||
		!strings.HasSuffix(allowed, "Mcp-Name, mcp-param-city") {
		t.Errorf("allowed headers: %q", allowed)
	}
}

func TestWhatPagesMayRead(t *testing.T) {
	servers := func() http.Header {
		return http.Header{
			"Access-Control-Allow-Origin": {"*"}, "Access-Control-Allow-Credentials": {"true"}, "access-control-x": {"1"}, "Vary": {"Accept"}, "X-Other": {"kept"},
		}
	}
	for name, c := range map[string]struct {
		origin []string
		listed []string
		want   string
		own    bool // the server's own headers are gone
	}{
		"listed":               {[]string{"https://app.example"}, config.AllowedOrigins, "https://app.example", true},
		"in other case":        {[]string{"https://other.example:8443"}, config.AllowedOrigins, "https://other.example:8443", true},
		"its own":              {[]string{"http://localhost"}, config.AllowedOrigins, "", true},
		"foreign":              {[]string{"https://evil.example"}, config.AllowedOrigins, "", true},
		"a program":            {nil, config.AllowedOrigins, "", true},
		"two":                  {[]string{"https://app.example", "https://evil.example"}, config.AllowedOrigins, "", true},
		"nobody is listed":     {[]string{"https://app.example"}, nil, "*", false},
		"nobody is, a program": {nil, nil, "*", false},
	} {
		header := servers()
		requestcheck.SetCORSHeaders(header, request("POST", "/mcp", http.Header{"Origin": c.origin}), c.listed)
		if got := header.Get("Access-Control-Allow-Origin"); got != c.want {
			t.Errorf("%s: got %q", name, got)
		}
		odd := slices.Contains(slices.Collect(maps.Keys(header)), "access-control-x")
		if c.own != (header.Get("Access-Control-Allow-Credentials") == "") || c.own == odd || header.Get("X-Other") != "kept" {
			t.Errorf("%s: %v", name, header)
		}
		if c.own != slices.Equal(header["Vary"], []string{"Accept", "Origin"}) {
			t.Errorf("%s: Vary %q", name, header["Vary"])
		}
		if exposed := header.Get("Access-Control-Expose-Headers"); (exposed == "Mcp-Session-Id, WWW-Authenticate, MCP-Protocol-Version") != (c.own && c.want != "") {
			t.Errorf("%s: exposed %q", name, exposed)
		}
	}
}

func TestHostOverTLSIsJudgedAlike(t *testing.T) {
	r := request(http.MethodPost, "/mcp", nil)
	r.TLS, r.Host = &tls.ConnectionState{ServerName: "localhost"}, "evil.example"
	if got := reason(requestcheck.Check(r, config)); got != gateapi.ReasonWrongHost {
		t.Errorf("got %q", got)
	}
}
