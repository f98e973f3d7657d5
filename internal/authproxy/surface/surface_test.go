package surface_test

import (
	"crypto/tls"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/authproxy"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/deny"
	"github.com/mcp-gatehouse/gatehouse/internal/authproxy/surface"
)

var config = authproxy.Config{
	AllowedHosts:   []string{"weather.tools.svc"},
	AllowedOrigins: []string{"https://app.example", "https://Other.example:8443"},
	Upstream:       authproxy.Upstream{Path: "/mcp", TrailingSlash: true, ExtraPaths: []string{"/files/a%20b"}},
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

func reason(denial *deny.Denial) deny.Reason {
	if denial == nil {
		return ""
	}
	return denial.Reason
}

func TestTargets(t *testing.T) {
	for target, want := range map[string]deny.Reason{
		"/mcp": "", "/mcp/": "", "/anything": "", "/a%20b": "", "/mcp?x=/../": "", "/..mcp": "", "/mcp...": "",
		"http://localhost/mcp": "", "http://weather.tools.svc:8080/mcp": "", "https://10.0.0.1/mcp": "",
		"http://evil.example/mcp": deny.BadTarget, "ftp://localhost/mcp": deny.BadTarget, "http://u@localhost/mcp": deny.BadTarget,
		"/mcp/..": deny.BadTarget, "/./mcp": deny.BadTarget, "//mcp": deny.BadTarget, "/mcp//": deny.BadTarget, "/mcp;a": deny.BadTarget,
		"/%2e%2E/mcp": deny.BadTarget, "/mcp%2F": deny.BadTarget, "/%5cmcp": deny.BadTarget, "/mcp%3Bx": deny.BadTarget,
		"/%252fmcp": deny.BadTarget, "/mcp%00": deny.BadTarget, "*": deny.BadTarget,
	} {
		if got := reason(surface.Check(request(http.MethodGet, target, nil), config)); got != want {
			t.Errorf("%s: got %q, want %q", target, got, want)
		}
	}
	for _, method := range []string{http.MethodConnect, http.MethodTrace} {
		if got := reason(surface.Check(request(method, "/mcp", nil), config)); got != deny.BadTarget {
			t.Errorf("%s: got %q", method, got)
		}
	}
}

func TestHosts(t *testing.T) {
	for host, want := range map[string]deny.Reason{
		"localhost": "", "LOCALHOST:1": "", "weather.tools.svc": "", "Weather.tools.svc.:80": "", "10.1.2.3:8080": "", "[::1]": "", "[fe80::1]:80": "",
		"": deny.WrongHost, "evil.example": deny.WrongHost, "weather.tools.svc.evil.example": deny.WrongHost, "localhost.evil.example": deny.WrongHost,
		"10.1.2.3.evil.example": deny.WrongHost, "weather": deny.WrongHost, "127.1": deny.WrongHost,
	} {
		r := request(http.MethodGet, "/mcp", nil)
		r.Host = host
		if got := reason(surface.Check(r, config)); got != want {
			t.Errorf("%q: got %q, want %q", host, got, want)
		}
	}
}

func TestHeadersThatMustBeSingle(t *testing.T) {
	for _, name := range []string{"Content-Type", "Mcp-Session-Id", "Origin", "Mcp-Method", "Mcp-Name", "Mcp-Protocol-Version"} {
		for values, want := range map[string]deny.Reason{"a": "", "a a": deny.AmbiguousHeader, "a b": deny.AmbiguousHeader} {
			r := request(http.MethodPost, "/mcp", http.Header{name: strings.Fields(values)})
			if got := reason(surface.Check(r, config)); got != want {
				t.Errorf("%s: %s: got %q, want %q", name, values, got, want)
			}
		}
	}
	// Elsewhere a list is a list.
	if got := surface.Check(request(http.MethodPost, "/mcp", http.Header{"Accept": {"a/b", "c/d"}}), config); got != nil {
		t.Errorf("two Accept headers: %v", got)
	}
}

func TestOrigins(t *testing.T) {
	for origin, want := range map[string]deny.Reason{
		"https://app.example": "", "https://other.example:8443": "", "http://localhost": "", "https://localhost": "",
		"": deny.WrongOrigin, "null": deny.WrongOrigin, "http://app.example": deny.WrongOrigin, "https://app.example:444": deny.WrongOrigin,
		"https://app.example.evil": deny.WrongOrigin, "https://evil.app.example": deny.WrongOrigin, "https://app.example/": deny.WrongOrigin,
		"http://localhost:3000": deny.WrongOrigin, "http://u@localhost": deny.WrongOrigin, "http://localhost/x": deny.WrongOrigin,
		"http://localhost#x": deny.WrongOrigin, "ftp://localhost": deny.WrongOrigin, "*": deny.WrongOrigin,
	} {
		if got := reason(surface.Origin(request(http.MethodPost, "/mcp", http.Header{"Origin": {origin}}), config)); got != want {
			t.Errorf("%q: got %q, want %q", origin, got, want)
		}
	}
	if got := surface.Origin(request(http.MethodPost, "/mcp", nil), config); got != nil {
		t.Errorf("a program: %v", got)
	}
}

func TestAllowList(t *testing.T) {
	strict := config.Upstream
	strict.TrailingSlash = false
	for _, c := range []struct {
		method, path string
		upstream     authproxy.Upstream
		want         deny.Reason
	}{
		{"GET", "/mcp", config.Upstream, ""}, {"POST", "/mcp", config.Upstream, ""}, {"DELETE", "/mcp", config.Upstream, ""},
		{"HEAD", "/mcp", config.Upstream, deny.UnknownMethod}, {"OPTIONS", "/mcp", config.Upstream, deny.UnknownMethod},
		{"PUT", "/mcp/", config.Upstream, deny.UnknownMethod}, {"get", "/mcp", config.Upstream, deny.UnknownMethod},
		{"POST", "/mcp/", config.Upstream, ""}, {"POST", "/mcp/", strict, deny.UnknownPath},
		{"POST", "/MCP", config.Upstream, deny.UnknownPath}, {"POST", "/mc%70", config.Upstream, deny.UnknownPath}, {"POST", "/mcp/x", config.Upstream, deny.UnknownPath},
		{"POST", "/", config.Upstream, deny.UnknownPath}, {"GET", "/.well-known/oauth-protected-resource", config.Upstream, deny.UnknownPath},
		{"PATCH", "/files/a%20b", config.Upstream, ""}, {"HEAD", "/files/a%20b", config.Upstream, ""}, {"BREW", "/files/a%20b", config.Upstream, ""},
		{"GET", "/files/a%20b/", config.Upstream, deny.UnknownPath}, {"GET", "/files", config.Upstream, deny.UnknownPath}, {"GET", "/files/a%20b%20", config.Upstream, deny.UnknownPath},
	} {
		if got := reason(surface.Endpoint(request(c.method, c.path, nil), c.upstream)); got != c.want {
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
		if got := surface.IsPreflight(request(c.method, "/mcp", c.header), config); got != c.want {
			t.Errorf("%s: got %t", name, got)
		}
	}
	r := request("OPTIONS", "/nowhere", asks("Access-Control-Request-Headers", "authorization,mcp-param-city, Mcp-Param-\u00fc, x-evil, mcp-a\r\nb, cookie"))
	w := httptest.NewRecorder()
	surface.AnswerPreflight(w, r, config)
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
		surface.Share(header, request("POST", "/mcp", http.Header{"Origin": c.origin}), c.listed)
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
	if got := reason(surface.Check(r, config)); got != deny.WrongHost {
		t.Errorf("got %q", got)
	}
}
