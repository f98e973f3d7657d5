package cli

import (
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clientfake "sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
)

func TestCompletions(t *testing.T) {
	scheme, err := NewScheme()
	if err != nil {
		t.Fatal(err)
	}
	c := clientfake.NewClientBuilder().WithScheme(scheme).WithObjects(
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "demo"}},
		&v1alpha1.MCPServer{ObjectMeta: metav1.ObjectMeta{Namespace: "demo", Name: "a"}},
		&v1alpha1.MCPServer{ObjectMeta: metav1.ObjectMeta{Namespace: "demo", Name: "b"}},
		&v1alpha1.MCPServer{ObjectMeta: metav1.ObjectMeta{Namespace: "elsewhere", Name: "c"}},
	).Build()
	for name, words := range map[string]struct {
		complete Completer
		want     []string
	}{
		"servers":    {ServerNames, []string{"a", "b"}},
		"namespaces": {namespaceNames, []string{"demo"}},
	} {
		if got := words.complete(t.Context(), c, "demo", nil); !slices.Equal(got, words.want) {
			t.Errorf("%s: %q, want %q", name, got, words.want)
		}
	}
}
