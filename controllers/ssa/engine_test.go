package ssa

import (
	"errors"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	clientfake "sigs.k8s.io/controller-runtime/pkg/client/fake"
)

func TestApplyOnAnObjectOfSomebodyElseWritesNothing(t *testing.T) {
	scheme := runtime.NewScheme()
	if err := corev1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	foreign := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "x", Namespace: "ns"}}
	c := clientfake.NewClientBuilder().WithScheme(scheme).WithObjects(foreign).Build()
	engine := &Engine{Client: c, Live: c, FieldOwner: fieldOwner, Applied: &Applied{}}
	_, err := engine.Apply(t.Context(), Call{
		Owner:  Owner{Name: types.NamespacedName{Namespace: "ns", Name: "x"}, Owns: func(client.Object) bool { return false }},
		Object: corev1ac.Service("x", "ns").WithLabels(map[string]string{"a": "b"}),
		Refuse: func(client.Object, *unstructured.Unstructured) error { return nil },
	})
	var belongs *ForeignError
	if !errors.As(err, &belongs) || belongs.Existing.GetName() != "x" || belongs.Wanted.GetKind() != "Service" {
		t.Fatalf("got %v", err)
	}
	var after corev1.Service
	if err := c.Get(t.Context(), client.ObjectKeyFromObject(foreign), &after); err != nil || len(after.Labels) > 0 {
		t.Errorf("it was written: %v, %v", after.Labels, err)
	}
}
