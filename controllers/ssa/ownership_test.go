package ssa

import (
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

const fieldOwner = "gatehouse"

func managedFields(manager string, operation metav1.ManagedFieldsOperationType, subresource, fields string) metav1.ManagedFieldsEntry {
	return metav1.ManagedFieldsEntry{Manager: manager, Operation: operation, Subresource: subresource, APIVersion: "apps/v1", FieldsType: "FieldsV1",
		FieldsV1: metav1.NewFieldsV1(fields)}
}

// TestReclaimed: what others have put into the spec becomes ours, and only that.
func TestReclaimed(t *testing.T) {
	own := exclusiveFields(&appsv1.Deployment{}, &unstructured.Unstructured{})
	mine := managedFields(fieldOwner, metav1.ManagedFieldsOperationApply, "", `{"f:spec":{"f:replicas":{}}}`)
	for name, c := range map[string]struct {
		others []metav1.ManagedFieldsEntry
		// ours is what we apply then, edits what is told, and left how many entries of others there are.
		ours, edits string
		left        int
	}{
		"nothing": {ours: `{"f:spec":{"f:replicas":{}}}`},
		"a pause": {
			others: []metav1.ManagedFieldsEntry{managedFields("kubectl-rollout", metav1.ManagedFieldsOperationUpdate, "", `{"f:spec":{"f:paused":{}}}`)},
			ours:   `{"f:spec":{"f:paused":{},"f:replicas":{}}}`, edits: "kubectl-rollout: spec.paused"},
		"a note beside it": {
			others: []metav1.ManagedFieldsEntry{managedFields("kubectl-edit", metav1.ManagedFieldsOperationUpdate, "",
				`{"f:metadata":{"f:annotations":{"f:note":{}}},"f:spec":{"f:paused":{}}}`)},
			ours: `{"f:spec":{"f:paused":{},"f:replicas":{}}}`, edits: "kubectl-edit: spec.paused", left: 1},
		"a restart, which is theirs": {
			others: []metav1.ManagedFieldsEntry{managedFields("kubectl-rollout", metav1.ManagedFieldsOperationUpdate, "",
				`{"f:spec":{"f:template":{"f:metadata":{"f:annotations":{"f:kubectl.kubernetes.io/restartedAt":{}}}}}}`)},
			ours: `{"f:spec":{"f:replicas":{}}}`, left: 1},
		"a field that begins like another": {
			others: []metav1.ManagedFieldsEntry{managedFields("x", metav1.ManagedFieldsOperationUpdate, "", `{"f:specs":{"f:paused":{}}}`)},
			ours:   `{"f:spec":{"f:replicas":{}}}`, left: 1},
		"the scale and the status": {
			others: []metav1.ManagedFieldsEntry{
				managedFields("hpa", metav1.ManagedFieldsOperationUpdate, "scale", `{"f:spec":{"f:replicas":{}}}`),
				managedFields("kube-controller-manager", metav1.ManagedFieldsOperationUpdate, "status", `{"f:status":{"f:replicas":{}}}`)},
			ours: `{"f:spec":{"f:replicas":{}}}`, left: 2},
	} {
		got, edits, err := reclaimed(append([]metav1.ManagedFieldsEntry{mine}, c.others...), own, fieldOwner)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var told []string
		for manager, fields := range edits {
			told = append(told, manager+": "+strings.Join(Outermost(fields), ", "))
		}
		if text := string(got[0].FieldsV1.GetRawBytes()); text != c.ours || strings.Join(told, "; ") != c.edits || len(got) != 1+c.left {
			t.Errorf("%s: we own %s, told %q, %d entries", name, text, told, len(got))
		}
	}
}

func TestEditsAreToldByTheirOutermostFields(t *testing.T) {
	fields := []string{`spec.a.b[name="x"].value`, `spec.a.b[name="x"]`, "spec.ab", "spec.a.bc", `spec.a.b[name="x"].name`}
	if got := Outermost(fields); !slices.Equal(got, []string{`spec.a.b[name="x"]`, "spec.a.bc", "spec.ab"}) {
		t.Errorf("got %q", got)
	}
}
