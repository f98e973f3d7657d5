package gatestate

import (
	"testing"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/internal/authhealth"
	"github.com/mcp-gatehouse/gatehouse/internal/gate/admin"
	"github.com/mcp-gatehouse/gatehouse/internal/publication"
)

// No message holds more than names.
func TestUnpublishedNamesTheWorst(t *testing.T) {
	found := []Difference{{standing: publication.Foreign, part: "key set of provider managed", what: "the key k1 of provider managed",
		harm: "Harm.", object: "ConfigMap x-jwks", name: "x-jwks"}, {standing: publication.Unsure}}
	got := Unpublished(found, admin.State{LastReloadError: "no such file, token=Zx9Kq2LmT7vB4nW8sY3dF6hJ"}, noon)
	const want = "The gate has loaded the key k1 of provider managed, which the operator has not published. Harm. And 1 more. " +
		"It has it from ConfigMap x-jwks: find out who has written that, or keeps it from being written. The gate says: no such file, token=[redacted]."
	if got.Message != want || got.Grade != authhealth.Open || got.Reason != v1alpha1.ReasonGateConfigMismatch || got.Unlike != "x-jwks" {
		t.Errorf("got %+v", got)
	}
}
