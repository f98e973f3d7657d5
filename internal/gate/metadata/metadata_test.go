package metadata_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"reflect"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/gate/metadata"
	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

func config() gateapi.Config {
	return gateapi.Config{
		Upstream: gateapi.Upstream{Path: "/mcp"},
		ResourceMetadata: &gateapi.ResourceMetadata{
			Resource: "https://mcp.example/tools/mcp", AuthorizationServers: []string{"https://as.example"},
			ScopesSupported: []string{"read", "offline_access", "write"},
		},
	}
}

func serve(c gateapi.Config, method string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	r := httptest.NewRequest(method, "https://evil.example/.well-known/oauth-protected-resource", http.NoBody)
	r.Header.Set("Origin", "https://anywhere.example")
	if denial := metadata.New(c).Serve(w, r); denial != nil {
		w.Code = denial.Status
	}
	return w
}

func TestDocument(t *testing.T) {
	want := map[string]any{
		"resource": "https://mcp.example/tools/mcp", "authorization_servers": []any{"https://as.example"},
		"bearer_methods_supported": []any{"header"}, "scopes_supported": []any{"read", "write"},
	}
	w := serve(config(), http.MethodGet)
	var got map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || !reflect.DeepEqual(got, want) || w.Code != 200 {
		t.Errorf("got %d %v, %v", w.Code, got, err)
	}
	if h := w.Header(); h.Get("Content-Type") != "application/json" || h.Get("Access-Control-Allow-Origin") != "*" ||
		h.Get("Access-Control-Allow-Credentials") != "" || h.Get("Cache-Control") != "max-age=60" {
		t.Errorf("header %v", h)
	}
	c := config()
	c.ResourceMetadata.ScopesSupported = []string{"offline_access"}
	if got := serve(c, http.MethodGet).Body.String(); got != `{"resource":"https://mcp.example/tools/mcp","authorization_servers":["https://as.example"],"bearer_methods_supported":["header"]}`+"\n" {
		t.Errorf("without scopes: %s", got)
	}
}

func TestMethods(t *testing.T) {
	for method, want := range map[string]int{"GET": 200, "HEAD": 200, "OPTIONS": 204, "POST": 405, "PUT": 405, "DELETE": 405} {
		w := serve(config(), method)
		if w.Code != want || (method == "GET") != (w.Body.Len() > 0) {
			t.Errorf("%s: %d %s", method, w.Code, w.Body)
		}
		if want != 405 && w.Header().Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s: %v", method, w.Header())
		}
	}
}

func TestPaths(t *testing.T) {
	c := config()
	const prefix = gateapi.WellKnownPrefix
	for path, want := range map[string]bool{
		prefix: true, prefix + "/mcp": true, prefix + "/tools/mcp": true,
		prefix + "/": false, prefix + "/mcp/": false, prefix + "/other": false, prefix + "x": false, "/mcp": false, "/.well-known": false,
	} {
		if got := metadata.New(c).Is(path); got != want {
			t.Errorf("%s: got %t", path, got)
		}
	}
	c.Upstream.TrailingSlash = true
	if !metadata.New(c).Is(prefix + "/mcp/") {
		t.Error("the endpoint has two spellings, its metadata one")
	}
	c.ResourceMetadata = nil
	if document := metadata.New(c); document != nil || document.Is(prefix) {
		t.Error("nothing to publish, and yet something is")
	}
}
