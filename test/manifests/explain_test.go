package manifests

import (
	"os"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// property is what kubectl explain shows of a field.
type property struct {
	Type                 string              `json:"type"`
	Description          string              `json:"description"`
	IntOrString          bool                `json:"x-kubernetes-int-or-string"`
	Properties           map[string]property `json:"properties"`
	Items                *property           `json:"items"`
	AdditionalProperties *property           `json:"additionalProperties"`
}

// TestExplainIsComplete: every field has a type and a description, which is a sentence and not just the field's name.
func TestExplainIsComplete(t *testing.T) {
	data, err := os.ReadFile("../../config/crd/bases/mcp.gatehouse.dev_mcpservers.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var crd struct {
		Spec struct {
			Versions []struct {
				Schema struct {
					OpenAPIV3Schema property `json:"openAPIV3Schema"`
				} `json:"schema"`
			} `json:"versions"`
		} `json:"spec"`
	}
	if err := yaml.Unmarshal(data, &crd); err != nil {
		t.Fatal(err)
	}
	fields := 0
	for _, version := range crd.Spec.Versions {
		fields += explain(t, "mcpserver", version.Schema.OpenAPIV3Schema)
	}
	t.Logf("%d fields are explained", fields)
	if fields < 500 {
		t.Errorf("%d fields were looked at", fields)
	}
}

// explain looks at the fields of an object, and counts them.
func explain(t *testing.T, path string, object property) int {
	t.Helper()
	fields := 0
	for name, field := range object.Properties {
		at := path + "." + name
		// The API server explains metadata itself.
		if len(strings.Fields(field.Description)) < 3 && at != "mcpserver.metadata" {
			t.Errorf("%s is not explained: %q", at, field.Description)
		}
		if field.Type == "" && !field.IntOrString {
			t.Errorf("%s has no type", at)
		}
		fields += 1 + explain(t, at, field)
	}
	for _, inner := range []*property{object.Items, object.AdditionalProperties} {
		if inner != nil {
			fields += explain(t, path, *inner)
		}
	}
	return fields
}
