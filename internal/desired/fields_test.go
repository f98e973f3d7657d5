package desired_test

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/mcp-gatehouse/gatehouse/api/v1alpha1"
)

// TestEveryFieldIsInAGoldenInput: what becomes of a field is seen in a golden file, and so is every change of that.
func TestEveryFieldIsInAGoldenInput(t *testing.T) {
	inputFiles, err := filepath.Glob("testdata/*/in.yaml")
	if err != nil {
		t.Fatal(err)
	}
	set := map[string]bool{}
	for _, path := range inputFiles {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var server map[string]any
		if err := yaml.Unmarshal(data, &server); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		pathsOf("spec", server["spec"], set)
	}
	declared := fieldsOf("spec", reflect.TypeFor[v1alpha1.MCPServerSpec]())
	if len(declared) < 120 {
		t.Errorf("%d fields were looked at", len(declared))
	}
	for _, field := range declared {
		if !set[field] {
			t.Errorf("no testdata/*/in.yaml sets %s", field)
		}
	}
}

// fieldsOf lists the fields of a type and of the types in it, as far as they are ours: Kubernetes has tests of its own.
func fieldsOf(path string, of reflect.Type) []string {
	for of.Kind() == reflect.Pointer || of.Kind() == reflect.Slice {
		of = of.Elem()
	}
	if of.Kind() != reflect.Struct || of.PkgPath() != reflect.TypeFor[v1alpha1.MCPServer]().PkgPath() {
		return nil
	}
	var fields []string
	for i := range of.NumField() {
		field := of.Field(i)
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		if strings.Contains(options, "inline") {
			fields = append(fields, fieldsOf(path, field.Type)...)
			continue
		}
		fields = slices.Concat(fields, []string{path + "." + name}, fieldsOf(path+"."+name, field.Type))
	}
	return fields
}

// pathsOf notes what a document sets.
func pathsOf(path string, node any, set map[string]bool) {
	switch node := node.(type) {
	case map[string]any:
		for name, value := range node {
			set[path+"."+name] = true
			pathsOf(path+"."+name, value, set)
		}
	case []any:
		for _, value := range node {
			pathsOf(path, value, set)
		}
	}
}
