package clitest

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	clientfake "sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
	"github.com/mcp-gatehouse/gatehouse/cmd/gatehouse/cli"
)

// Server is an MCPServer that is not ready, with one key.
func Server(namespace, name string) *v1alpha1.MCPServer {
	return &v1alpha1.MCPServer{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, UID: "1"},
		Spec:       v1alpha1.MCPServerSpec{Image: "image"},
		Status: v1alpha1.MCPServerStatus{
			Conditions: []metav1.Condition{{Type: "Ready", Status: "False", Reason: "GateBypass", Message: "hostNetwork"}},
			Keys:       []v1alpha1.KeyStatus{{Provider: "managed", KID: "kid-1", Algorithm: "EdDSA"}},
		},
	}
}

// Cluster holds the servers demo/a, demo/b and elsewhere/c, pods of the first two, and an Event.
func Cluster(t *testing.T) client.WithWatch {
	t.Helper()
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "demo", Name: "a-1", Labels: map[string]string{
		v1alpha1.LabelServer: "a", v1alpha1.LabelInstance: "1",
	}}}
	other := pod.DeepCopy()
	other.Name, other.Labels[v1alpha1.LabelServer] = "b-1", "b"
	event := &corev1.Event{
		ObjectMeta: metav1.ObjectMeta{Namespace: "demo", Name: "e"}, InvolvedObject: corev1.ObjectReference{UID: "1"}, Message: "Ready is False.",
	}
	return ClusterOf(t, Server("demo", "a"), Server("demo", "b"), Server("elsewhere", "c"), pod, other, event)
}

// ClusterOf is an API server with these objects.
func ClusterOf(t *testing.T, objects ...client.Object) client.WithWatch {
	t.Helper()
	scheme, err := cli.NewScheme()
	Must(t, err)
	return clientfake.NewClientBuilder().WithScheme(scheme).WithStatusSubresource(&v1alpha1.MCPServer{}).
		WithIndex(&corev1.Event{}, "involvedObject.uid", about).WithObjects(objects...).Build()
}

// about is the UID of the object that an Event is about.
func about(object client.Object) []string {
	event, ok := object.(*corev1.Event)
	if !ok {
		return nil
	}
	return []string{string(event.InvolvedObject.UID)}
}

// Refusing is Cluster, but it answers requests for objects of these types with an error.
func Refusing(t *testing.T, err error, types ...any) client.WithWatch {
	t.Helper()
	refused := func(object any) bool {
		return slices.ContainsFunc(types, func(one any) bool { return reflect.TypeOf(one) == reflect.TypeOf(object) })
	}
	return interceptor.NewClient(Cluster(t), interceptor.Funcs{
		Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, into client.Object, options ...client.GetOption) error {
			if refused(into) {
				return err
			}
			return c.Get(ctx, key, into, options...)
		},
		List: func(ctx context.Context, c client.WithWatch, into client.ObjectList, options ...client.ListOption) error {
			if refused(into) {
				return err
			}
			return c.List(ctx, into, options...)
		},
	})
}

// Forbidden is the error of an API server for a caller without the right.
func Forbidden(group, resource string) error {
	return apierrors.NewForbidden(schema.GroupResource{Group: group, Resource: resource}, "", errors.New("not allowed"))
}
