package chart

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/mcp-gatehouse/gatehouse/test/roles"
)

const chartFolder = "../../config/chart"

// asInManifests are values that make what config has.
var asInManifests = map[string]any{
	"serviceMonitor": map[string]any{"enabled": true},
	"podMonitor":     map[string]any{"enabled": true},
	"prometheusRule": map[string]any{"enabled": true},
}

// TestNoDrift: the chart makes what the manifests make, but for what stands here.
func TestNoDrift(t *testing.T) {
	for name, c := range map[string]struct {
		values    map[string]any
		manifests []string
	}{
		"whole cluster":         {asInManifests, []string{"config/default", "config/prometheus"}},
		"some namespaces":       {map[string]any{"namespaces": []any{"mcp"}}, []string{"config/namespaced", "config/crd"}},
		"logs":                  {map[string]any{"diagnoseLogs": true}, []string{"test/manifests/testdata/logs"}},
		"logs, some namespaces": {map[string]any{"namespaces": []any{"mcp"}, "diagnoseLogs": true}, []string{"test/manifests/testdata/namespaced-logs", "config/crd"}},
	} {
		t.Run(name, func(t *testing.T) {
			rendered, err := Render(chartFolder, c.values)
			if err != nil {
				t.Fatal(err)
			}
			var manifests []*unstructured.Unstructured
			for _, part := range c.manifests {
				built, err := roles.Build("../../" + part)
				if err != nil {
					t.Fatal(err)
				}
				manifests = append(manifests, built...)
			}
			got, want := texts(t, rendered.Objects), texts(t, manifests)
			// `helm install --create-namespace` makes it.
			delete(want, "Namespace /gatehouse-system")
			for _, object := range slices.Sorted(maps.Keys(want)) {
				switch text, found := got[object]; {
				case !found:
					t.Errorf("the chart has no %s", object)
				case text != want[object]:
					t.Errorf("%s is another one in the chart (+) than in config (-):\n%s", object, difference(want[object], text))
				}
			}
			for object := range got {
				if _, found := want[object]; !found {
					t.Errorf("the chart has %s, which config has not", object)
				}
			}
			if len(want) < 8 {
				t.Errorf("%d objects were compared", len(want))
			}
		})
	}
}

// helmLabels are what a chart's objects have besides.
var helmLabels = map[string]string{
	"app.kubernetes.io/instance":   Release,
	"app.kubernetes.io/managed-by": "Helm",
	"app.kubernetes.io/version":    "v0.0.0",
	"helm.sh/chart":                "gatehouse-0.0.0",
}

// texts gives each object as text, without what may differ.
func texts(t *testing.T, objects []*unstructured.Unstructured) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, object := range objects {
		labels := object.GetLabels()
		for label, value := range helmLabels {
			if labels[label] == value {
				delete(labels, label)
			}
		}
		switch object.GetKind() {
		case "CustomResourceDefinition":
			// kubectl has no such policy, and what config/crd has belongs to every kustomization that names it.
			annotations := object.GetAnnotations()
			delete(annotations, "helm.sh/resource-policy")
			object.SetAnnotations(annotations)
			delete(labels, "app.kubernetes.io/part-of")
		case "Deployment":
			removeRelease(t, object)
		}
		if len(labels) == 0 {
			labels = nil
		}
		object.SetLabels(labels)
		text, err := yaml.Marshal(object.Object)
		if err != nil {
			t.Fatal(err)
		}
		name := object.GetKind() + " " + object.GetNamespace() + "/" + object.GetName()
		if _, twice := out[name]; twice {
			t.Errorf("%s is there twice", name)
		}
		out[name] = string(text)
	}
	return out
}

// removeRelease takes out what is of a release: the tags of the images, and when they are pulled. Config leaves both to whoever
// deploys.
func removeRelease(t *testing.T, deployment *unstructured.Unstructured) {
	t.Helper()
	containers, found, err := unstructured.NestedSlice(normal(t, deployment), "spec", "template", "spec", "containers")
	if err != nil || !found || len(containers) != 1 {
		t.Fatalf("%d containers, %v", len(containers), err)
	}
	container := containers[0].(map[string]any) //nolint:forcetypeassert // a container is an object
	delete(container, "imagePullPolicy")
	container["image"] = strings.TrimSuffix(container["image"].(string), ":v0.0.0") //nolint:forcetypeassert // an image is a name
	for _, variable := range container["env"].([]any) {                             //nolint:forcetypeassert // env is a list
		fields := variable.(map[string]any) //nolint:forcetypeassert // of objects
		if value, ok := fields["value"].(string); ok && fields["name"] == "AUTHPROXY_IMAGE" {
			fields["value"] = strings.TrimSuffix(value, ":v0.0.0")
		}
	}
	if err := unstructured.SetNestedSlice(deployment.Object, containers, "spec", "template", "spec", "containers"); err != nil {
		t.Fatal(err)
	}
}

// normal makes the numbers of an object those of JSON.
func normal(t *testing.T, object *unstructured.Unstructured) map[string]any {
	t.Helper()
	text, err := yaml.Marshal(object.Object)
	if err != nil {
		t.Fatal(err)
	}
	decoded, err := decode(string(text))
	if err != nil {
		t.Fatal(err)
	}
	object.Object = decoded[0].Object
	return object.Object
}

// difference gives the lines that one text has and the other has not.
func difference(before, after string) string {
	var out []string
	count := map[string]int{}
	for line := range strings.Lines(after) {
		count[line]++
	}
	for line := range strings.Lines(before) {
		if count[line]--; count[line] < 0 {
			out = append(out, "- "+line)
		}
	}
	for line := range strings.Lines(after) {
		if count[line] > 0 {
			count[line]--
			out = append(out, "+ "+line)
		}
	}
	if len(out) == 0 {
		return "the same lines in another order"
	}
	return strings.Join(out, "")
}
