package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
)

// scopeHint says which scopes a token for the server lacks that every token must have; empty if none, or if the server
// cannot be read.
func scopeHint(ctx context.Context, c client.Reader, server client.ObjectKey, scope string) string {
	var found v1alpha1.MCPServer
	if c.Get(ctx, server, &found) != nil {
		return ""
	}
	missing := missingScopes(&found, strings.Fields(scope))
	if len(missing) == 0 {
		return ""
	}
	return fmt.Sprintf("note: the gate answers 403 to this token: it asks everybody for scope %s. Add --scope %q.",
		strings.Join(missing, " "), strings.Join(append(strings.Fields(scope), missing...), " "))
}

// missingScopes are those of requiredScopes that are not among the given.
func missingScopes(server *v1alpha1.MCPServer, given []string) []string {
	if server.Spec.Auth == nil || server.Spec.Auth.Authorization == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(server.Spec.Auth.Authorization.RequiredScopes), func(scope string) bool {
		return slices.Contains(given, scope)
	})
}
