package gate_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

const page = "https://app.example"

// publicSite has metadata, an allowed origin, and an extra path.
func publicSite(t *testing.T, handler http.HandlerFunc) *site {
	t.Helper()
	s := prepareSite(t, serveHTTP(t, handler))
	s.config.AllowedOrigins = []string{page}
	s.config.Upstream.TrailingSlash = true
	s.config.Upstream.ExtraPaths = []string{"/files"}
	s.config.Authorization.RequiredScopes = []string{"read"}
	s.config.ResourceMetadata = &gateapi.ResourceMetadata{
		Resource: "https://mcp.example/mcp", AuthorizationServers: []string{"https://as.example"},
	}
	s.writeConfig()
	s.start()
	return s
}

func TestPublicAnswersOnTheWire(t *testing.T) {
	s := publicSite(t, func(http.ResponseWriter, *http.Request) { t.Error("the server was asked") })
	for name, c := range map[string]struct {
		line, header, body string
		status             int
		reason, origin     string
	}{
		"metadata":                         {"GET /.well-known/oauth-protected-resource", "", "", 200, "", "*"},
		"metadata of the endpoint":         {"GET /.well-known/oauth-protected-resource/mcp", "", "", 200, "", "*"},
		"metadata with a slash":            {"GET /.well-known/oauth-protected-resource/mcp/", "", "", 200, "", "*"},
		"metadata for a foreign page":      {"GET /.well-known/oauth-protected-resource", "Origin: https://evil.example\r\n", "", 200, "", "*"},
		"metadata for a listed page":       {"GET /.well-known/oauth-protected-resource", "Origin: " + page + "\r\n", "", 200, "", "*"},
		"metadata, preflight":              {"OPTIONS /.well-known/oauth-protected-resource", "Origin: https://evil.example\r\nAccess-Control-Request-Method: GET\r\n", "", 204, "", "*"},
		"metadata, other method":           {"POST /.well-known/oauth-protected-resource", "", "{}", 405, "unknown_method", ""},
		"metadata of another path":         {"GET /.well-known/oauth-protected-resource/other", "", "", 401, "missing_token", ""},
		"metadata, bent":                   {"GET /x/../.well-known/oauth-protected-resource", "", "", 400, "bad_target", ""},
		"metadata for a foreign host":      {"GET http://evil.example/.well-known/oauth-protected-resource", "", "", 400, "bad_target", ""},
		"preflight":                        {"OPTIONS /mcp", "Origin: " + page + "\r\nAccess-Control-Request-Method: POST\r\n", "", 204, "", page},
		"preflight anywhere":               {"OPTIONS /nowhere", "Origin: " + page + "\r\nAccess-Control-Request-Method: POST\r\n", "", 204, "", page},
		"preflight with a body":            {"OPTIONS /mcp", "Origin: " + page + "\r\nAccess-Control-Request-Method: POST\r\n", "{}", 204, "", page},
		"preflight of a foreign page":      {"OPTIONS /mcp", "Origin: https://evil.example\r\nAccess-Control-Request-Method: POST\r\n", "", 403, "wrong_origin", ""},
		"OPTIONS of a listed page":         {"OPTIONS /mcp", "Origin: " + page + "\r\n", "", 401, "missing_token", page},
		"OPTIONS without an origin":        {"OPTIONS /mcp", "Access-Control-Request-Method: POST\r\n", "", 401, "missing_token", ""},
		"a page learns that it is refused": {"POST /mcp", "Origin: " + page + "\r\n", "{}", 401, "missing_token", page},
		"a page and a bad token":           {"POST /mcp", "Origin: " + page + "\r\nAuthorization: Bearer x\r\n", "{}", 401, "malformed_token", page},
		"two origins":                      {"POST /mcp", "Origin: " + page + "\r\nOrigin: " + page + "\r\n", "{}", 400, "ambiguous_header", ""},
		"two methods":                      {"POST /mcp", "Mcp-Method: a\r\nMcp-Method: b\r\n", "{}", 400, "ambiguous_header", ""},
		"HEAD":                             {"HEAD /mcp", "", "", 401, "missing_token", ""},
		"an extra path without a token":    {"PUT /files", "", "{}", 401, "missing_token", ""},
	} {
		length := ""
		if c.body != "" {
			length = "Content-Length: 2\r\n"
		}
		got := s.rawAsked(strings.Fields(c.line)[0], c.line+" HTTP/1.1\r\nHost: localhost\r\n"+c.header+length+"\r\n"+c.body)
		if got.status != c.status || got.header.Get("Gatehouse-Reason") != c.reason || got.header.Get("Access-Control-Allow-Origin") != c.origin {
			t.Errorf("%s: got %d %v %s", name, got.status, got.header, got.body)
		}
		if (c.status == 200) != strings.Contains(got.body, `"resource":"https://mcp.example/mcp"`) {
			t.Errorf("%s: body %s", name, got.body)
		}
		if c.status == 405 && got.header.Get("Allow") != "GET, HEAD, OPTIONS" {
			t.Errorf("%s: Allow %q", name, got.header.Get("Allow"))
		}
		const challenge = `Bearer realm="tools/weather", `
		if c.status == 401 && (!strings.HasPrefix(got.header.Get("WWW-Authenticate"), challenge) ||
			!strings.Contains(got.header.Get("WWW-Authenticate"), `scope="read", resource_metadata="https://mcp.example/.well-known/oauth-protected-resource/mcp"`)) {
			t.Errorf("%s: challenge %q", name, got.header.Get("WWW-Authenticate"))
		}
	}
}

func TestPagesReadTheServersAnswers(t *testing.T) {
	s := publicSite(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Set("Access-Control-Allow-Credentials", "true")
		echo(w, r)
	})
	s.template.Scope = "read"
	for _, path := range []string{"/mcp", "/mcp/"} {
		r := s.request(http.MethodPost, path, s.token(), strings.NewReader(ping))
		r.Header.Set("Origin", page)
		got := s.do(r)
		if got.status != 200 || got.header.Get("X-Seen") != "POST /mcp" || got.header.Get("Access-Control-Allow-Origin") != page ||
			got.header.Get("Access-Control-Allow-Credentials") != "" || got.header.Get("Vary") != "Origin" {
			t.Errorf("%s: %d %v", path, got.status, got.header)
		}
	}
	for method, want := range map[string]string{"PUT": "PUT /files?a=1", "OPTIONS": "OPTIONS /files?a=1", "BREW": "BREW /files?a=1"} {
		if got := s.do(s.request(method, "/files?a=1", s.token(), strings.NewReader(ping))); got.status != 200 || got.header.Get("X-Seen") != want {
			t.Errorf("%s: %d, the server saw %q", method, got.status, got.header.Get("X-Seen"))
		}
	}
	if got := s.do(s.request(http.MethodGet, "/files/", s.token(), nil)); got.status != 404 {
		t.Errorf("another path: %d", got.status)
	}
}

func TestWithoutMetadataItsPathsAreLikeOthers(t *testing.T) {
	s := newSite(t, serveHTTP(t, echo))
	for bearer, want := range map[string]int{"": 401, s.token(): 404} {
		if got := s.do(s.request(http.MethodGet, gateapi.WellKnownPrefix, bearer, nil)); got.status != want {
			t.Errorf("got %d, want %d", got.status, want)
		}
	}
	if got := s.post(""); strings.Contains(got.header.Get("WWW-Authenticate"), "resource_metadata") {
		t.Errorf("challenge %q", got.header.Get("WWW-Authenticate"))
	}
}
