package gateapi_test

import (
	"testing"

	"github.com/mcp-gatehouse/gatehouse/internal/gateapi"
)

func TestMetadataURL(t *testing.T) {
	for resource, want := range map[string]string{
		"https://mcp.example":            "https://mcp.example/.well-known/oauth-protected-resource",
		"https://mcp.example/":           "https://mcp.example/.well-known/oauth-protected-resource",
		"https://mcp.example:8443/a/mcp": "https://mcp.example:8443/.well-known/oauth-protected-resource/a/mcp",
		"http://[::1]:80/mcp/":           "http://[::1]:80/.well-known/oauth-protected-resource/mcp",
	} {
		if got := (gateapi.ResourceMetadata{Resource: resource}).URL(); got != want {
			t.Errorf("%s: got %s", resource, got)
		}
	}
}

func TestHeaderSpellings(t *testing.T) {
	for name, want := range map[string]bool{
		"Authorization": true, "content_type": true, "Mcp.Session~Id": true, "X_Forwarded-For": true, "MCP-Name": true,
		"Mcp-Param-a_b": false, "X-User": false, "Authorization2": false, "": false,
	} {
		if got := gateapi.IsProtectedHeader(name); got != want {
			t.Errorf("%q: got %t", name, got)
		}
	}
	if a, b := gateapi.FoldHeader("X-User.Name"), gateapi.FoldHeader("x_user_name"); a != b || a != "x-user-name" {
		t.Errorf("got %q and %q", a, b)
	}
}
