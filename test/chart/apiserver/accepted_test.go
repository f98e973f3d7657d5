// Package apiserver puts what the chart makes before a real API server.
package apiserver

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/mcp-gatehouse/gatehouse/test/chart"
)

const folder = "../../../config/chart"

// TestAccepted: the API server takes each object, knows each field, and lets the operator's pod into a namespace that
// enforces Pod Security "restricted".
func TestAccepted(t *testing.T) {
	control := &envtest.Environment{}
	config, err := control.Start()
	if err != nil {
		t.Fatalf("start the API server; `make test-chart` builds it and sets KUBEBUILDER_ASSETS: %v", err)
	}
	t.Cleanup(func() {
		if err := control.Stop(); err != nil {
			t.Error(err)
		}
	})
	scheme := runtime.NewScheme()
	if err := clientgoscheme.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	k8s, err := client.New(config, client.Options{Scheme: scheme, FieldValidation: metav1.FieldValidationStrict})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{chart.Namespace, "team-a", "team-b"} {
		namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
			Name: name, Labels: map[string]string{"pod-security.kubernetes.io/enforce": "restricted"}}}
		if err := k8s.Create(t.Context(), namespace); err != nil {
			t.Fatal(err)
		}
	}
	for name, values := range map[string]map[string]any{
		"default":    nil,
		"namespaced": {"namespaces": []any{"team-a", "team-b"}, "diagnoseLogs": true},
		"full": {
			"image":             map[string]any{"repository": "registry.example.com/operator", "tag": "v1"},
			"imagePullSecrets":  []any{"pull"},
			"nodeSelector":      map[string]any{"disk": "ssd"},
			"tolerations":       []any{map[string]any{"operator": "Exists"}},
			"priorityClassName": "", "podAnnotations": map[string]any{"a": "b"}, "probeQPS": 10,
			"diagnoseLogs": true, "maxConcurrentUpgrades": 3, "serviceAccount": map[string]any{"name": "own"}, "extraArgs": []any{"--zap-devel"},
		},
	} {
		t.Run(name, func(t *testing.T) { accepts(t, k8s, values) })
	}
}

func accepts(t *testing.T, k8s client.Client, values map[string]any) {
	t.Helper()
	rendered, err := chart.Render(folder, values)
	if err != nil {
		t.Fatal(err)
	}
	for _, object := range rendered.Objects {
		if object.GetKind() == "Deployment" {
			var deployment appsv1.Deployment
			if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, &deployment); err != nil {
				t.Fatal(err)
			}
			pod := &corev1.Pod{ObjectMeta: deployment.Spec.Template.ObjectMeta, Spec: deployment.Spec.Template.Spec}
			pod.Name, pod.Namespace = "operator", deployment.Namespace
			if err := k8s.Create(t.Context(), pod, client.DryRunAll); err != nil {
				t.Errorf("its pod: %v", err)
			}
		}
		if err := k8s.Create(t.Context(), object, client.DryRunAll); err != nil {
			t.Errorf("%s %s: %v", object.GetKind(), object.GetName(), err)
		}
	}
	if len(rendered.Objects) < 8 {
		t.Errorf("%d objects", len(rendered.Objects))
	}
}
