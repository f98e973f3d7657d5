package main

import (
	"slices"
	"testing"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
)

func TestMissingScopes(t *testing.T) {
	server := &v1alpha1.MCPServer{}
	if got := missingScopes(server, nil); len(got) != 0 {
		t.Errorf("without auth: %v", got)
	}
	server.Spec.Auth = &v1alpha1.Auth{Authorization: &v1alpha1.Authorization{RequiredScopes: []string{"a", "b"}}}
	if got := missingScopes(server, []string{"b", "c"}); !slices.Equal(got, []string{"a"}) {
		t.Errorf("got %v", got)
	}
}
