package serverobjects

import "testing"

func TestUndoneEditsAreToldWithTheirManagers(t *testing.T) {
	text := undone("Deployment x", map[string][]string{"kubectl-set": {"spec.a", "spec.b", "spec.c", "spec.d"}, "kubectl-edit": {"spec.paused"}})
	const want = "Deployment x was changed past this MCPServer, and is put right: spec.paused by kubectl-edit; " +
		"spec.a, spec.b, spec.c and 1 more by kubectl-set. Change the spec of the MCPServer; what has no field there cannot be set."
	if text != want {
		t.Errorf("got %s", text)
	}
}
